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

;; References
((command
  name: (command_name (word) @_source)
  .
  argument: [
    (word) @reference.import
    (raw_string) @reference.import
    (string . (string_content) @reference.import .)
  ])
  (#any-of? @_source "source" "."))

((command_name (word) @reference.nothing) (#any-of? @reference.nothing ":" "." "["))
(command name: (command_name (word) @reference.call))
((variable_name) @reference.nothing (#match? @reference.nothing "^[0-9]+$"))
(variable_name) @reference.use
