#!/usr/bin/env lua
local json = require("json")
local path = require 'lib.path'

-- How many.
LIMIT = 10
local state, other = 1, 2
local handler = function(x) return x end
local Shape = {}
Shape.__index = Shape
Shape.sides = 4

--- Adds two numbers.
-- @param a the first
function add(a, b)
  local inner = a
  local function nested() return inner end
  return nested() + b
end

local function hidden(...) return ... end

--- Makes one.
function Shape.new(name)
  local self = setmetatable({ name = name, count = LIMIT }, Shape)
  return self
end

function Shape:describe() return self.name .. tostring(self.count) end
Shape.area = function(self) return 0 end
Shape.inner.deep = function() end

local module = {
  version = 1,
  run = function(x) return x end,
  ["quoted"] = function() end,
}

if state then
  conditional = 1
end

for index, value in ipairs(other) do
  print(index, value.field, module.run(value), Shape:describe())
  goto continue
  ::continue::
end

Shape.new "text":describe { key = state, [other] = hidden(1) }
string.format("%d", #json.items[LIMIT].count)
return module
