<?php
function before() {}

class Before {
    public $field;

    public function broken($x {
        return $x +;
    }

    public function after() {}
}

function last() {}
