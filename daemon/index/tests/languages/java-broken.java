class Before {
    int field;
    void before() {}

    void broken(int x {
        return x +;
    }

    void after() {}
}

enum Last { A }
