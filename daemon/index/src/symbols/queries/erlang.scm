(module_attribute name: (atom) @name) @definition.module
(record_decl name: (atom) @name) @definition.struct
(record_decl fields: (record_field name: (atom) @name) @definition.field)
(type_alias name: (type_name name: (atom) @name)) @definition.type
(opaque name: (type_name name: (atom) @name)) @definition.type
(callback fun: (atom) @name) @definition.method
(pp_define lhs: (macro_lhs name: (_) @name)) @definition.macro

; Each clause of a function is a definition of it.
(fun_decl clause: (function_clause name: (atom) @name body: (_) @body)) @definition.function

;; References
(import_attribute) @within.import
(import_attribute module: (atom) @reference.import)
(pp_include file: (string) @reference.import)
(pp_include_lib file: (string) @reference.import)
(behaviour_attribute name: (atom) @reference.type)

(type_sig) @within.type
(field_type) @within.type
(type_alias ty: (_) @within.type)
(opaque ty: (_) @within.type)
(call expr: (atom) @reference.call)
(macro_call_expr name: (_) @reference.call)
(record_name name: (atom) @reference.type)
(remote_module module: (atom) @reference.use)
(fa fun: (atom) @reference.use)
(internal_fun fun: (atom) @reference.use)
(external_fun fun: (atom) @reference.use)
(spec fun: (atom) @reference.use)
(record_field name: (atom) @reference.use)
(record_field_name name: (atom) @reference.use)
; Any other atom is a value.
(var) @reference.use
