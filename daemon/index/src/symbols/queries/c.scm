(function_definition declarator: (_) @declarator) @definition.function

; A structure without a name of its own has that of the `typedef` around it.
(type_definition
  type: (struct_specifier !name body: (_) @body)
  declarator: (type_identifier) @name) @definition.struct
(type_definition
  type: (union_specifier !name body: (_) @body)
  declarator: (type_identifier) @name) @definition.union
(type_definition
  type: (enum_specifier !name body: (_) @body)
  declarator: (type_identifier) @name) @definition.enum
(type_definition declarator: (_) @declarator) @definition.type

(struct_specifier name: (type_identifier) @name body: (_)) @definition.struct
(union_specifier name: (type_identifier) @name body: (_)) @definition.union
(enum_specifier name: (type_identifier) @name body: (_)) @definition.enum
(enumerator name: (identifier) @name) @definition.enumerator
(field_declaration declarator: (_) @declarator) @definition.field

(preproc_def name: (identifier) @name) @definition.macro
(preproc_function_def name: (identifier) @name) @definition.macro

; A prototype is no definition, and neither is what is `extern`, unless it has a value.
(declaration
  (storage_class_specifier "extern")
  declarator: [
    (identifier) @name
    (array_declarator) @declarator
    (pointer_declarator) @declarator
    (function_declarator) @declarator
    (attributed_declarator) @declarator
  ]) @declaration
(translation_unit (declaration declarator: (_) @declarator) @definition.variable.field)
(declaration_list (declaration declarator: (_) @declarator) @definition.variable.field)
(preproc_if (declaration declarator: (_) @declarator) @definition.variable.field)
(preproc_ifdef (declaration declarator: (_) @declarator) @definition.variable.field)
(preproc_else (declaration declarator: (_) @declarator) @definition.variable.field)
(preproc_elif (declaration declarator: (_) @declarator) @definition.variable.field)
(preproc_elifdef (declaration declarator: (_) @declarator) @definition.variable.field)

;; References
(preproc_include path: (string_literal (string_content) @reference.import))
(preproc_include path: (system_lib_string) @reference.import)

; Of what a directive says, `#define` and `#undef` say code.
(preproc_def value: (preproc_arg) @reference.words)
(preproc_function_def value: (preproc_arg) @reference.words)
((preproc_call directive: (_) @_directive argument: (preproc_arg) @reference.words)
  (#match? @_directive "undef"))

(call_expression function: [
  (identifier) @reference.call
  (field_expression field: (field_identifier) @reference.call)
])

(type_identifier) @reference.type
[(identifier) (field_identifier)] @reference.use
