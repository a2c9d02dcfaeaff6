(table . [(bare_key) (quoted_key)] @name) @definition.key
(table . (dotted_key (_) @scope . (_) @name .)) @definition.key
(table_array_element . [(bare_key) (quoted_key)] @name) @definition.key
(table_array_element . (dotted_key (_) @scope . (_) @name .)) @definition.key
(pair . [(bare_key) (quoted_key)] @name) @definition.key
(pair . (dotted_key (_) @scope . (_) @name .)) @definition.key
