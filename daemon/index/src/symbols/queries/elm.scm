(module_declaration name: (upper_case_qid) @name) @definition.module
(type_alias_declaration name: (upper_case_identifier) @name) @definition.type
(field_type name: (lower_case_identifier) @name) @definition.field
(type_declaration name: (upper_case_identifier) @name) @definition.enum
(union_variant name: (upper_case_identifier) @name) @definition.enumerator
(port_annotation name: (lower_case_identifier) @name) @definition.function

; What an annotation tells is not told again by the value.
(file (type_annotation name: (lower_case_identifier) @name) @definition.function)
(value_declaration functionDeclarationLeft: (function_declaration_left
  . (lower_case_identifier) @name pattern: (_)) body: (_) @body) @definition.function
(file (value_declaration functionDeclarationLeft: (function_declaration_left
  . (lower_case_identifier) @name) body: (_) @body) @definition.function)

;; References
(import_clause) @within.import
(function_call_expr
  target: (value_expr name: (value_qid (lower_case_identifier) @reference.call .)))
(type_ref (upper_case_qid (upper_case_identifier) @reference.type .))
(exposed_type (upper_case_identifier) @reference.type)
[(lower_case_identifier) (upper_case_identifier)] @reference.use
