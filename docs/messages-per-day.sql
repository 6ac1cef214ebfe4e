SELECT day, sum(mails * weight) AS messages, sum(mails * isPass * weight) AS passed
FROM (SELECT blob1 AS reportUid, double3 AS ordinal,
  toStartOfInterval(toDateTime(argMax(double5, double2)), INTERVAL '1' DAY) AS day,
  argMax(double4, double2) AS mails, argMax(double8, double2) AS isPass,
  argMax(double9, double2) AS isLive, argMax(_sample_interval, double2) AS weight
  FROM dmarc_records
  GROUP BY reportUid, ordinal)
WHERE isLive = 1
GROUP BY day
ORDER BY day
