let before a = a + 1
type point = { x : float }

let broken = match with | -> (
  let in = {{

let after b = before b
module Last = struct
  let value = 1
end
