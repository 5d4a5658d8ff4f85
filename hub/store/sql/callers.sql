-- name: by_number
-- Whom a call from a number may be about: whose own number it is, whose home's, whose contact's.
(SELECT 'person' AS whose, p.area_id, p.person_id, p.premises_id, p.name, h.address,
    NULL AS contact_name, NULL AS relation
FROM person p LEFT JOIN premises h ON h.premises_id = p.premises_id
WHERE regexp_replace(p.phone, '\D', '', 'g') = ANY(%(numbers)s)
  AND p.state NOT IN ('moved', 'ended')
LIMIT %(limit)s)
UNION ALL
(SELECT 'home', h.area_id, p.person_id, h.premises_id, coalesce(p.name, h.address), h.address,
    NULL, NULL
FROM premises h LEFT JOIN person p
    ON p.premises_id = h.premises_id AND p.state NOT IN ('moved', 'ended')
WHERE regexp_replace(h.phone, '\D', '', 'g') = ANY(%(numbers)s)
LIMIT %(limit)s)
UNION ALL
(SELECT 'contact', p.area_id, p.person_id, p.premises_id, p.name, h.address, c.name, c.relation
FROM person_contact c JOIN person p USING (person_id)
LEFT JOIN premises h ON h.premises_id = p.premises_id
WHERE regexp_replace(c.phone, '\D', '', 'g') = ANY(%(numbers)s)
  AND p.state NOT IN ('moved', 'ended')
LIMIT %(limit)s);
