-- Where somebody looks into a home that has a camera: an address of the video system, which has its
-- own log-in. Shown where an incident of that home is open.
ALTER TABLE premises ADD COLUMN video_link text;
