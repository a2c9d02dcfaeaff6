-- What shapes are.
CREATE SCHEMA shapes;
CREATE TYPE colour AS ENUM ('red', 'green');

/* All shapes. */
CREATE TABLE IF NOT EXISTS shapes.shape (
  id INTEGER PRIMARY KEY,
  name VARCHAR(10) NOT NULL DEFAULT 'text',
  owner_id INT REFERENCES owner (id),
  tint colour
);

CREATE UNIQUE INDEX shape_name ON shapes.shape (name);

CREATE OR REPLACE VIEW large AS
SELECT s.id, count(*) AS many
FROM shapes.shape AS s
JOIN owner o ON o.id = s.owner_id
WHERE s.sides > 3 AND lower(s.name) LIKE 'a%'
GROUP BY s.id
ORDER BY many DESC;

CREATE MATERIALIZED VIEW cached AS SELECT id FROM large;

CREATE FUNCTION add(a integer, b integer) RETURNS integer AS $$
  SELECT a + b;
$$ LANGUAGE sql;

CREATE SEQUENCE ids;
CREATE TRIGGER changed AFTER UPDATE ON shape FOR EACH ROW EXECUTE FUNCTION notify();

INSERT INTO shape (id, name) VALUES (1, add(2, 3));
UPDATE shape SET name = upper(name) WHERE id IN (SELECT id FROM large);
DELETE FROM shape WHERE id = 1;
ALTER TABLE shape ADD COLUMN sides INT;
WITH recent AS (SELECT * FROM shape) SELECT recent.id FROM recent;
DROP TABLE shape;
CREATE TYPE pair AS (a INT, b colour);
