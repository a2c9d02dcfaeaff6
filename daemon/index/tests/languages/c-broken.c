int before(void) { return 0; }

struct before {
	int field;
};

int broken(int x {
	return x +;
}

int after(void) { return 0; }

#define LAST 1
