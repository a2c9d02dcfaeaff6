((element (start_tag (attribute
  (attribute_name) @_id (quoted_attribute_value (attribute_value) @name)))) @definition.key
  (#eq? @_id "id"))
((element (start_tag
  (tag_name) @_a
  (attribute (attribute_name) @_name (quoted_attribute_value (attribute_value) @name))))
  @definition.key
  (#any-of? @_a "a" "A") (#eq? @_name "name"))
((element (start_tag (tag_name) @_heading) . (text) @title) @definition.section
  (#match? @_heading "^([hH][1-6]|title)$"))

;; References
((attribute (attribute_name) @_path (quoted_attribute_value (attribute_value) @reference.import))
  (#any-of? @_path "src" "href") (#match? @reference.import "^[^#]"))
((attribute (attribute_name) @_name (quoted_attribute_value (attribute_value) @reference.use))
  (#any-of? @_name "class" "for" "aria-labelledby" "aria-controls")
  (#match? @reference.use "^[-A-Za-z0-9_]+$"))
; An element of somebody's own has a hyphen in its name.
((start_tag (tag_name) @reference.use) (#match? @reference.use "-"))
