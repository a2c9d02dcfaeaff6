before(a) = a + 1

function broken(a, (
    if a +
end

function after(b)
    before(b)
end

struct Last
    x::Int
end
