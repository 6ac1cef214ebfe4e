SELECT domain, day, sum(weight) AS records, sum(messageCount) AS messages, sum(passedCount) AS passed,
  count() AS points, max(sampled) AS highestInterval, avg(sampled) AS meanInterval
FROM (SELECT blob1 AS reportUid, double3 AS ordinal,
  blob3 AS domain,
  floor(max(double5 + double6) / 172800) AS day,
  argMax(double9 * _sample_interval, double2) AS weight,
  max(_sample_interval) AS sampled,
  argMax(double4 * double9 * _sample_interval, double2) AS messageCount,
  argMax(double4 * double8 * double9 * _sample_interval, double2) AS passedCount
  FROM dmarc_records
  WHERE timestamp > now() - INTERVAL '30' DAY
  GROUP BY reportUid, ordinal, domain)
WHERE weight > 0
GROUP BY domain, day
ORDER BY day, domain LIMIT 10000
