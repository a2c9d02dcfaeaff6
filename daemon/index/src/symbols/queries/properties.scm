(property (key) @name) @definition.key
