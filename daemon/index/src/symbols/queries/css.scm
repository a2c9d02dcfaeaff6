; A rule defines the classes and identities that it is for, alone or before a colon.
(rule_set (selectors (class_selector . (class_name (identifier) @name))) (block) @body)
  @definition.class
(rule_set
  (selectors (pseudo_class_selector (class_selector . (class_name (identifier) @name))))
  (block) @body) @definition.class
(rule_set (selectors (id_selector . (id_name) @name)) (block) @body) @definition.key
(rule_set (selectors (pseudo_class_selector (id_selector . (id_name) @name))) (block) @body)
  @definition.key
(keyframes_statement (keyframes_name) @name (keyframe_block_list) @body) @definition.constant
((declaration (property_name) @name) @definition.variable (#match? @name "^--"))

;; References
(import_statement (string_value) @reference.import)
((call_expression
  (function_name) @_url (arguments [(string_value) (plain_value)] @reference.import))
  (#eq? @_url "url"))
; How an animation goes, and not which one.
((plain_value) @reference.nothing (#any-of? @reference.nothing
  "ease" "ease-in" "ease-out" "ease-in-out" "linear" "infinite" "none" "both" "forwards"
  "backwards" "normal" "reverse" "alternate" "running" "paused" "inherit" "initial" "unset"))
((plain_value) @reference.use (#match? @reference.use "^--"))
((declaration (property_name) @_animation (plain_value) @reference.use)
  (#match? @_animation "^(-[a-z]+-)?animation(-name)?$"))
(function_name) @reference.call
(class_selector (class_name (identifier) @reference.use))
(id_name) @reference.use
