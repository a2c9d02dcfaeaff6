! Shapes and what can be done with them.
module shapes
  use iso_fortran_env, only: real64, wp => real32
  use other
  implicit none
  private
  public :: point, area, add

  ! How many there may be.
  integer, parameter :: limit = 10
  real(real64) :: counter
  include 'inner.inc'

  ! A point.
  type :: point
    real :: x
    real, allocatable :: y
  contains
    procedure :: move
    procedure, pass :: size => point_size
    final :: destroy
  end type point

  type, extends(point), abstract :: circle
    real(real64) :: radius
  contains
    procedure(area_of), deferred :: area
  end type

  enum, bind(c)
    enumerator :: red = 1, green
  end enum

  interface add
    module procedure add_int, add_real
  end interface

  interface operator(+)
    procedure add_points
  end interface

  abstract interface
    function area_of(this) result(a)
      import :: circle
      class(circle), intent(in) :: this
      real :: a
    end function
  end interface

contains

  ! Moves it.
  subroutine move(this, dx)
    class(point), intent(inout) :: this
    real, intent(in) :: dx
    integer :: i
    do i = 1, limit
      this%x = this%x + dx
      call this%size(i)
    end do
    call log_it("moved")
  contains
    subroutine inner()
      print *, dx
    end subroutine
  end subroutine move

  pure integer function add_int(a, b) result(sum)
    integer, intent(in) :: a, b
    sum = a + abs(b)
  end function add_int

  elemental real function add_real(a, b)
    real, intent(in) :: a, b
    add_real = a + b + counter
  end function
end module shapes

submodule (shapes) implementation
contains
  module procedure point_size
    print *, this%x
  end procedure
end submodule implementation

program main
  use shapes, only: point
  implicit none
  type(point) :: p
  integer :: n
  common /block/ n
  p = point(1.0, 2.0)
  call p%move(add_real(1.0, 2.0))
  if (n > limit) then
    stop
  end if
end program main

block data init
  integer :: n
end block data
