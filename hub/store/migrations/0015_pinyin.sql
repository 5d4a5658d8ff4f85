-- How names are spelt in pinyin, so that somebody who hears a name can type it. The hub fills it in
-- from its dictionary whenever somebody searches in letters; a row whose name differs from the
-- person's is out of date.
CREATE TABLE person_pinyin (
    person_id text PRIMARY KEY REFERENCES person ON DELETE CASCADE,
    area_id text NOT NULL REFERENCES area,
    name text NOT NULL,
    letters text NOT NULL
);
CREATE INDEX person_pinyin_search ON person_pinyin USING gin (search_grams(letters));

CREATE FUNCTION pinyin_follows_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE person_pinyin SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    RETURN NULL;
END $$;
CREATE TRIGGER person_pinyin_moved AFTER UPDATE OF area_id ON person FOR EACH ROW
    WHEN (OLD.area_id IS DISTINCT FROM NEW.area_id) EXECUTE FUNCTION pinyin_follows_person();
