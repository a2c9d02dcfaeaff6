% What shapes are.
classdef matlab < handle & Base.Named
    properties (Access = private)
        sides = 4 % Its sides.
        name string
    end
    enumeration
        Red (1)
        Green (2)
    end
    methods
        function self = matlab(sides)
            self.sides = sides;
        end
        result = declared(self)
    end
end

% Adds two numbers.
function result = add(a, b)
% ADD Adds two numbers.
    local = a;
    result = nested(local) + b;
end

function [x, y] = pair(n)
    x = n; y = helper.twice(n);
end

function plain
    disp('text');
    for i = 1:numel(values)
        total = total + values(i).size;
    end
    handle = @(x) add(x, limit);
    other = @pair;
    s.field = cellfun(handle, {1, 2});
end
