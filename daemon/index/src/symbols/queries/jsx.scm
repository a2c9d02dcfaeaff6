; What JavaScript and TypeScript with elements share. Read together with the query of either.

;; References
; An element calls what it is named after, unless that is of HTML. Its end says nothing new.
(jsx_closing_element) @within.nothing
((jsx_opening_element name: (identifier) @reference.nothing)
  (#match? @reference.nothing "^[a-z]"))
((jsx_self_closing_element name: (identifier) @reference.nothing)
  (#match? @reference.nothing "^[a-z]"))
(jsx_opening_element name: [
  (identifier) @reference.call
  (member_expression property: (property_identifier) @reference.call)
])
(jsx_self_closing_element name: [
  (identifier) @reference.call
  (member_expression property: (property_identifier) @reference.call)
])
