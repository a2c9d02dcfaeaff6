"""
Shapes and what can be done with them.
"""
module Shapes

using LinearAlgebra
using Base.Threads: @spawn, nthreads
import JSON, Dates.Date
import ..Other: thing as renamed
include("inner.jl")
export Point, area

const LIMIT = 10
global counter = 0

abstract type Shape end
abstract type Round <: Shape end
primitive type Word 32 end

"A point."
struct Point{T<:Real} <: Shape
    x::T
    y::T
    Point(x, y) = new{Float64}(x, y)
end

"""
    Circle(r)

A circle.
"""
mutable struct Circle <: Round
    radius::Float64
    name
end

@enum Color red green=2 blue

const Handler = Dict{String,Point}

# How large it is.
area(c::Circle) = pi * c.radius^2

function area(p::Point{T})::T where {T<:Real}
    local sum = 0
    inner(x) = x + LIMIT
    function nested(y)
        inner(y)
    end
    nested(p.x) + sum
end

function Base.show(io::IO, c::Circle)
    print(io, "circle ", c.name)
end

Base.:+(a::Point, b::Point) = Point(a.x + b.x, a.y + b.y)
==(a::Point, b::Point) = a.x == b.x

"Times something."
macro times(n, body)
    quote
        for _ in 1:$(esc(n))
            $(esc(body))
        end
    end
end

function declared end

module Inner
    value = 1
end

function main(args...; verbose::Bool=false, other=LIMIT)
    shapes = Shape[Circle(1.0, "a"), Point(1, 2)]
    total = sum(map(s -> area(s), shapes))
    @times 3 println(total)
    for s in shapes
        s isa Circle && push!(args, s.name)
    end
    try
        JSON.parse("{}") |> println
    catch error
        rethrow(error)
    end
    d = Dict(:a => 1, "b" => Inner.value)
    total .+ [x for x in 1:LIMIT if x > 1]
end

end
