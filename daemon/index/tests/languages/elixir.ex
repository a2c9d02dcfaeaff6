defmodule Shapes.Shape do
  @moduledoc """
  What shapes are.
  """

  use GenServer, restart: :temporary
  import Enum, only: [map: 2]
  alias Shapes.{Circle, Square}
  alias Shapes.Other, as: Else
  require Logger
  @behaviour Shapes.Named

  @limit 10
  @type t :: %__MODULE__{sides: integer()}
  @typep hidden :: atom
  @callback describe(t) :: String.t()

  defstruct [:name, sides: 4]

  # Adds two numbers.
  @doc "Adds."
  @spec add(integer, integer) :: integer
  def add(a, b \\ @limit) when is_integer(a) do
    local = a
    nested = fn x -> x + local end
    nested.(b)
  end

  def add(nil, _b), do: 0
  defp hidden(%__MODULE__{sides: sides} = shape), do: sides * shape.sides
  def no_arguments, do: :ok
  def without_parens x do
    x
  end

  defmacro make(name) do
    quote do: unquote(name)
  end

  defguard is_small(x) when x < 3
  defdelegate size(shape), to: Circle
  def left <> right, do: left + right

  defmodule Inner do
    defexception message: "text"
    def deep(), do: nil
  end
end

defprotocol Shapes.Named do
  @doc "Its name."
  def title(shape)
end

defimpl Shapes.Named, for: Shapes.Shape do
  def title(shape), do: shape.name
end

defmodule Mentions do
  def mentions(shape, opts) do
    made = %Circle{radius: 1} |> Else.grow(opts[:by])
    text = "text #{made.name} #{inspect(shape)}"
    map(shape, &Logger.info/1)
    Enum.each(opts, fn {key, value} -> send(self(), {key, value}) end)
    case made do
      %Square{side: side} when side > 0 -> String.upcase(text)
      _ -> raise ArgumentError, "text"
    end
    if shape, do: GenServer.call(:server, made), else: no_arguments()
  rescue
    error in [RuntimeError] -> reraise(error, __STACKTRACE__)
  end
end
