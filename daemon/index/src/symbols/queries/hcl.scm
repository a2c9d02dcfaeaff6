; What a block is of stands first, its name last.
((config_file (body (block
  (identifier) @_kind . (string_lit (template_literal) @name) . (block_start) @body)
  @definition.variable))
  (#any-of? @_kind "variable" "output"))
((config_file (body (block
  (identifier) @_kind . (string_lit (template_literal) @name) . (block_start) @body)
  @definition.module))
  (#any-of? @_kind "module" "provider"))
((config_file (body (block (identifier) @_kind
  (body (attribute (identifier) @name) @definition.variable))))
  (#eq? @_kind "locals"))
(block
  (string_lit (template_literal) @scope)
  . (string_lit (template_literal) @name) . (block_start) @body) @definition.struct
(block
  (identifier) . (string_lit (template_literal) @name) . (block_start) @body)
  @definition.struct
(config_file (body (block (identifier) @name . (block_start) @body) @definition.section))
(config_file (body (attribute (identifier) @name) @definition.variable))

;; References
((attribute (identifier) @_source
  (expression (literal_value (string_lit (template_literal) @reference.import))))
  (#eq? @_source "source"))
; Where what follows is to be found.
((variable_expr (identifier) @reference.nothing)
  (#any-of? @reference.nothing
    "var" "local" "data" "module" "each" "self" "path" "terraform" "true" "false" "null"
    "string" "number" "bool" "any"))
; The key of an object is no name of anything.
(object_elem key: (expression) @within.nothing)

(function_call (identifier) @reference.call)
(block . (identifier) (string_lit (template_literal) @reference.type) . (string_lit))
(variable_expr (identifier) @reference.use)
(get_attr (identifier) @reference.use)
(for_intro (identifier) @reference.use)
