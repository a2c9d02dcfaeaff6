def before():
    pass


class Before:
    def method(self):
        pass

    def broken(self, x
        return x +

    def another(self):
        pass


def after():
    pass
