C     A comment of old.
      SUBROUTINE DAXPY(N,DA,DX,
     $                 INCX)
*     .. Scalar ..
      DOUBLE PRECISION DA
      INTEGER INCX,N
      INTRINSIC MOD
      IF (N.LE.0) RETURN
      DO 10 I = 1,N
         DX(I) = DA*MOD(I,4)
   10 CONTINUE
      CALL XERBLA( 'DAXPY', 1 )
      END
      INTEGER FUNCTION IDAMAX(N,DX)
      IDAMAX = 0
      RETURN
      END
