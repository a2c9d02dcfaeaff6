; A definition with all of its statement, where that has no other one.
(value_definition
  . (let_binding pattern: (value_name) @name (parameter) body: (_) @body) .) @definition.function
(value_definition
  . (let_binding pattern: (value_name) @name body: [(fun_expression) (function_expression)]) .)
  @definition.function
(value_definition . (let_binding pattern: (value_name) @name) .) @definition.variable
(let_binding pattern: (value_name) @name (parameter) body: (_) @body) @definition.function
(let_binding
  pattern: (value_name) @name
  body: [(fun_expression) (function_expression)]) @definition.function
(let_binding pattern: (value_name) @name) @definition.variable
(let_binding pattern: (parenthesized_operator (_) @name) body: (_) @body) @definition.function
(external (value_name) @name) @definition.function
(value_specification (value_name) @name type: (function_type)) @definition.function
(value_specification (value_name) @name) @definition.variable
(value_specification (parenthesized_operator (_) @name)) @definition.function

; What is bound within an expression is its own.
(let_expression) @local
(fun_expression) @local
(function_expression) @local
(let_binding pattern: (unit)) @local

(type_definition . (type_binding
  name: (type_constructor) @name body: (record_declaration)) .) @definition.struct
(type_definition . (type_binding
  name: (type_constructor) @name body: (variant_declaration)) .) @definition.enum
(type_definition . (type_binding name: (type_constructor) @name) .) @definition.type
(type_binding name: (type_constructor) @name body: (record_declaration)) @definition.struct
(type_binding name: (type_constructor) @name body: (variant_declaration)) @definition.enum
(type_binding name: (type_constructor) @name) @definition.type
(exception_definition (constructor_declaration (constructor_name) @name)) @definition.type
(constructor_declaration (constructor_name) @name) @definition.enumerator
(field_declaration (field_name) @name) @definition.field

(module_definition . (module_binding
  (module_name) @name body: (_) @body) .) @definition.module
(module_definition . (module_binding (module_name) @name) .) @definition.module
(module_binding (module_name) @name) @definition.module
(module_type_definition (module_type_name) @name body: (_) @body) @definition.interface
(module_type_definition (module_type_name) @name) @definition.interface

(class_definition . (class_binding (class_name) @name body: (_) @body) .) @definition.class
(class_definition . (class_binding (class_name) @name) .) @definition.class
(class_binding (class_name) @name) @definition.class
(class_type_definition . (class_type_binding (class_type_name) @name) .) @definition.interface
(class_type_binding (class_type_name) @name) @definition.interface
(method_definition (method_name) @name body: (_) @body) @definition.method
(method_definition (method_name) @name) @definition.method
(method_specification (method_name) @name) @definition.method
(instance_variable_definition (instance_variable_name) @name) @definition.field
(instance_variable_specification (instance_variable_name) @name) @definition.field

;; References
(open_module) @within.import
(open_module_signature) @within.import
(include_module) @within.import
(include_module_type) @within.import
(module_type_constraint (constrain_type) @within.type)
(application_expression function: (value_path (value_name) @reference.call))
(method_invocation method: (method_name) @reference.call)
(new_expression (class_path (class_name) @reference.call))
((infix_expression operator: (_) @_operator right: (value_path (value_name) @reference.call))
  (#any-of? @_operator "|>" ">>=" ">|="))
((infix_expression left: (value_path (value_name) @reference.call) operator: (_) @_operator)
  (#eq? @_operator "@@"))
[(type_constructor) (class_type_name) (module_type_name)] @reference.type
(value_path (value_name) @reference.use)
(constructor_path (constructor_name) @reference.use)
(field_path (field_name) @reference.use)
[(module_name) (method_name) (class_name) (instance_variable_name)] @reference.use
