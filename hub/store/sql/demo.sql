-- name: add_contact
-- An invented relative of an invented person; nothing happens where the place is taken.
INSERT INTO person_contact (person_id, place, area_id, name, relation, phone, language, channels)
SELECT person_id, %(place)s, area_id, %(name)s, %(relation)s, %(phone)s, %(language)s, %(channels)s
FROM person WHERE person_id = %(person_id)s
ON CONFLICT DO NOTHING;
