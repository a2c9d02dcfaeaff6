(module (module_statement (name) @name)) @definition.module
(submodule (submodule_statement (name) @name)) @definition.module
(block_data (block_data_statement (name) @name)) @definition.module
(program (program_statement (name) @name) . (_) @body) @definition.function
(subroutine (subroutine_statement name: (name) @name) . (_) @body) @definition.function
(function (function_statement name: (name) @name) . (_) @body) @definition.function
(module_procedure (module_procedure_statement name: (name) @name) . (_) @body)
  @definition.function
(interface (interface_statement (name) @name)) @definition.interface

(derived_type_definition (derived_type_statement (type_name) @name)) @definition.struct
(derived_type_definition (variable_declaration declarator: [
  (identifier) @name
  (init_declarator left: (identifier) @name)
  (sized_declarator (identifier) @name)
  (init_declarator left: (sized_declarator (identifier) @name))
]) @definition.field)
(derived_type_procedures
  (procedure_statement declarator: (method_name) @name) @definition.method)
(derived_type_procedures
  (procedure_statement declarator: (binding (binding_name (identifier) @name)))
  @definition.method)
(enumerator_statement declarator: [
  (identifier) @name
  (init_declarator left: (identifier) @name)
]) @definition.enumerator

((variable_declaration
  attribute: (type_qualifier) @_qualifier
  declarator: [
    (init_declarator left: (identifier) @name)
    (init_declarator left: (sized_declarator (identifier) @name))
  ]) @definition.constant
  (#match? @_qualifier "^[Pp][Aa][Rr][Aa][Mm][Ee][Tt][Ee][Rr]$"))
(variable_declaration declarator: [
  (identifier) @name
  (init_declarator left: (identifier) @name)
  (sized_declarator (identifier) @name)
  (init_declarator left: (sized_declarator (identifier) @name))
]) @definition.variable

;; References
(use_statement) @within.import
(use_statement (module_name) @reference.import)
(use_alias (local_name) @reference.nothing)
(submodule_statement ancestor: (module_name (name) @reference.import))
(include_statement path: (filename) @reference.import)
(preproc_include path: (_) @reference.import)
(subroutine_call subroutine: (identifier) @reference.call)
(subroutine_call
  subroutine: (derived_type_member_expression (type_member) @reference.call .))
(call_expression . (identifier) @reference.call)
(call_expression . (derived_type_member_expression (type_member) @reference.call .))
(derived_type name: (type_name) @reference.type)
(base_type_specifier (identifier) @reference.type)
(procedure_interface) @reference.type
[(method_name) (type_member) (identifier)] @reference.use
