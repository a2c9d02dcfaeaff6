before() {
    echo before
}

broken() {
    if [ -n "$x" ; then
        echo (
}

after() {
    echo after
}
LAST=1
