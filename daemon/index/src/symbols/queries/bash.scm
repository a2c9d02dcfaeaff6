(function_definition name: (word) @name) @definition.function

; `A=1 command` is the command's, and so is what a process of its own assigns.
(command (variable_assignment name: (variable_name) @name)) @declaration
(subshell) @local
(command_substitution) @local
(process_substitution) @local

(declaration_command "readonly"
  (variable_assignment name: (variable_name) @name)) @assignment.constant
(declaration_command ["declare" "typeset" "export"] . (word) @_flags
  (variable_assignment name: (variable_name) @name)
  (#match? @_flags "^-[a-zA-Z]*r")) @assignment.constant
(declaration_command
  (variable_assignment name: (variable_name) @name)) @assignment.variable
(variable_assignment name: (variable_name) @name) @assignment.variable
