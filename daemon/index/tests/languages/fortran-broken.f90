module before
  integer :: n
contains
  subroutine first(a)
    integer :: a
    call other(a)
  end subroutine
  subroutine broken(a, 
    if (a > then
    x = = 1
  end subroutine
  subroutine after(b)
    call first(b)
  end subroutine
end module
