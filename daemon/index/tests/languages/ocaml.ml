(* Shapes and what can be done with them. *)
open Printf
open Base.List

exception Wrong of string

(** How many there may be. *)
let limit = 10
let ( <+> ) a b = a + b

(** A point. *)
type point = { x : float; mutable y : float }

type 'a shape =
  | Circle of float
  | Square of { side : 'a }
  | Empty
and name = string

type handler = point -> unit
type t = ..
type t += More of int

external length : string -> int = "caml_length"

module type Named = sig
  type key
  val name : key -> string
end

(** Adds two points. *)
let add (a : point) b =
  let sum u v = u +. v in
  { x = sum a.x b.x; y = sum a.y b.y }

let rec even n = n = 0 || odd (n - 1)
and odd n = n <> 0 && even (n - 1)

module Inner = struct
  let helper ~label ?(other = 1) () = label + other
  module Deep = struct
    let value = limit
  end
end

module Make (M : Named) : Named with type key = M.key = struct
  type key = M.key
  let name k = M.name k
end

module Made = Make (struct type key = int let name = string_of_int end)

class counter start = object (self)
  val mutable count = start
  method get = count
  method private step by = count <- count + by; self#get
end

class type readable = object
  method read : string
end

let area shape = match shape with
  | Circle r -> r *. r
  | Square { side } -> side
  | Empty when limit > 0 -> raise (Wrong "empty")
  | _ -> 0.0

let () =
  let c = new counter 1 in
  let open Inner in
  printf "%d %f\n" c#get (area (Circle 1.0));
  ignore (helper ~label:1 ());
  List.iter (fun p -> print_endline p) [ "a" ];
  Inner.Deep.value |> ignore
