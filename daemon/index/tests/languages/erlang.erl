%% What shapes are.
-module(erlang).
-behaviour(gen_server).
-export([add/2, mentions/1]).
-import(lists, [map/2]).
-include("shapes.hrl").
-include_lib("kernel/include/file.hrl").

-define(LIMIT, 10).
-define(DOUBLE(X), X * 2).
-record(shape, {sides = 4 :: integer(), name}).
-type colour() :: red | green.
-opaque id() :: integer().
-callback title(term()) -> string().

%% Adds two numbers.
-spec add(integer(), integer()) -> integer().
add(A, B) when is_integer(A) ->
    Local = A,
    Local + B;
add(_, _) ->
    ?LIMIT.

mentions(Shape = #shape{sides = Sides}) ->
    Made = #shape{name = "text"},
    lists:foreach(fun(One) -> io:format("~p", [One]) end, [Shape]),
    map(fun add/2, [Made#shape.name, ?DOUBLE(Sides)]),
    case Made of
        #shape{} -> ok;
        _ -> throw({error, Sides})
    end.
