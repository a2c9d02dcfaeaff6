(dataclass name: (className) @name) @definition.class
(datatype name: (className) @name) @definition.enum
(datatypeBranch name: (className) @name) @definition.enumerator
(module name: (moduleName (simpleId) @name)) @definition.module
(classlessPredicate name: (predicateName) @name (body) @body) @definition.function
(classlessPredicate name: (predicateName) @name) @definition.function
(memberPredicate name: (predicateName) @name (body) @body) @definition.method
(memberPredicate name: (predicateName) @name) @definition.method
(charpred (className) @name body: (_) @body) @definition.constructor
(field (varDecl (varName (simpleId) @name))) @definition.field

;; References
(importDirective) @within.import
(aritylessPredicateExpr name: (literalId) @reference.call)
(qualifiedRhs name: (predicateName) @reference.call)
(typeExpr name: (className) @reference.type)
(className) @reference.type
[(simpleId) (literalId) (predicateName)] @reference.use
