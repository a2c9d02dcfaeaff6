(** What shapes are. *)
open Base

(** A point. *)
type point = { x : float; y : float }

type 'a shape = Circle of 'a | Empty
exception Wrong of string

(** Adds two points. *)
val add : point -> point -> point
val ( <+> ) : int -> int -> int
(** How many. *)
val limit : int
external length : string -> int = "caml_length"

module type Named = sig
  type key
  val name : key -> string
end

module Inner : sig
  val helper : label:int -> unit -> Base.Map.t
end

module Make (M : Named) : Named with type key = M.key
include Named

class counter : int -> object
  val mutable count : int
  method get : int
end
class type readable = object
  method read : string
end
