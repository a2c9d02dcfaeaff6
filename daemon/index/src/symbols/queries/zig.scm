(variable_declaration ["const" "var"] . (identifier) @name (struct_declaration "{" @body))
  @definition.struct
(variable_declaration ["const" "var"] . (identifier) @name (opaque_declaration "{" @body))
  @definition.struct
(variable_declaration ["const" "var"] . (identifier) @name (union_declaration "{" @body))
  @definition.union
(variable_declaration ["const" "var"] . (identifier) @name (enum_declaration "{" @body))
  @definition.enum
(variable_declaration ["const" "var"] . (identifier) @name (error_set_declaration "{" @body))
  @definition.enum
(enum_declaration (container_field name: (identifier) @name) @definition.enumerator)
(variable_declaration (error_set_declaration (identifier) @name @definition.enumerator))
(container_field name: (identifier) @name) @definition.field

(function_declaration name: (identifier) @name) @definition.function.method
; What these declare is their own.
(test_declaration) @local
(comptime_declaration) @local
(variable_declaration "const" . (identifier) @name) @definition.constant
(variable_declaration "var" . (identifier) @name) @definition.variable

;; References
((builtin_function
  (builtin_identifier) @_import (arguments . (string (string_content) @reference.import)))
  (#any-of? @_import "@import" "@embedFile"))
(block_label (identifier) @reference.nothing)
(break_label (identifier) @reference.nothing)

(call_expression function: [
  (identifier) @reference.call
  (field_expression member: (identifier) @reference.call)
])
(struct_initializer . (identifier) @reference.type)
(struct_initializer . (field_expression member: (identifier) @reference.type))
(field_expression object: (identifier) @reference.use
  (#match? @reference.use "^[a-z_]"))
(_ type: (_) @within.type)
(error_union_type) @within.type
(nullable_type) @within.type
(pointer_type) @within.type
(slice_type) @within.type
; `Shape` of `Shape.init` is a type; constants have no small letter.
((field_expression object: (identifier) @reference.type)
  (#match? @reference.type "^[A-Z].*[a-z]"))

(identifier) @reference.use
