// Package shapes has shapes.
package shapes

import "fmt"

// Limit is how many.
const Limit = 10

const (
	// First comes first.
	First = iota
	Second, Third
	_
)

var state, other int = 1, 2
var (
	handler = func() {
		var local int
	}
)

// Shape is a shape.
type Shape struct {
	// Name is its name.
	Name string `json:"name"`
	x, y int
	Base
	*pkg.Other
	List[int]
	inner struct {
		deep int
	}
}

type (
	// Namer has a name.
	Namer interface {
		Name(full bool) (string, error)
		fmt.Stringer
	}
	Alias = Shape
	Handler func(x int) error
)

type List[T any] struct{ items []T }
type Celsius float64
type Same = Shape

// Area says how large it is.
func (s *Shape) Area() float64 {
	var local int
	const limit = 1
	type inside struct{ field int }
	tests := []struct{ name string }{}
	return 0
}

func (l List[T]) Len() int { return len(l.items) }
func (l *List[T]) Push(x T) {}
func (Shape) Unnamed() {}

// New makes one.
//
//go:noinline
func New[T any](
	name string,
) (*Shape, error) {
	return nil, nil
}

func declared(x int) int

import (
	"net/http"
	str "strings"
	. "math"
)

func mentions(w http.ResponseWriter) (r *http.Request) {
	shape := &Shape{Name: str.ToUpper(Second), Base: Base{}}
	list := New[int]("a")
	other := pkg.Make[string, int](list.items[0])
outer:
	for key, value := range map[string]pkg.Key{} {
		shape.Area()
		go handler(key, value.(Namer), float64(First))
		continue outer
	}
	switch r := w.(type) {
	case *List[int]:
		defer r.Push(1)
	}
	return
}
