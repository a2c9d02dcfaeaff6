class Before
{
    int field;
    void First() {}

    void Broken(int x {
        return x +;
    }

    void After() {}
}

enum Last { A }
