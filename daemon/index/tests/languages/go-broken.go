package broken

func before() {}

type Before struct {
	Field int
}

func broken(x int {
	y := 
}

func (b *Before) after() {}

const Last = 1
