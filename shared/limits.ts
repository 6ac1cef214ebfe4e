/**
 * Every limit of the project, with its unit and its source. "Cloudflare" numbers are the platform's and cannot be raised;
 * "ours" are choices, each with a hostile test.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Mail as ingest and the mail reader accept it. */
export const MAIL_LIMITS = {
  /** Cloudflare Email Routing rejects larger mail at SMTP receipt (developers.cloudflare.com/email-service/platform/limits). */
  maxMessageBytes: 25 * MIB,
  /**
   * Ours: ingest holds such a mail and its decoded parts in memory, at most about five times its size; an isolate has
   * 128 MB. A larger mail is stored whole, and process reads it as a stream.
   */
  maxParsedMessageBytes: 4 * MIB,
  /** Ours: candidate report parts taken from one mail; sendBatch takes 100 messages. */
  maxPartsPerMessage: 50,
  /** Ours: headers in one mail, including those of its parts, multiparts and nested mails. Newsletters have up to a hundred. */
  maxHeaders: 1000,
  /** Ours: depth of multiparts, and of mails in mails. */
  maxMimeDepth: 20,
  /** Ours: how often bytes of a mail may be parsed as a nested mail; a forwarded forward needs three. */
  maxParsedLevels: 4,
  /**
   * Ours: bytes of a picture that is skipped; a larger one becomes a dead letter, so that a person can see that it is not
   * a report.
   */
  maxPictureBytes: MIB,
  /** Ours: header bytes of one part. */
  maxHeaderBytes: 2 * MIB,
} as const;

/** Authentication of a mail: its receiver's results and its DKIM signatures. */
export const AUTHENTICATION_LIMITS = {
  /** Ours: bytes of a header that are searched for Authentication-Results; Email Routing's end within the first 6 KiB. */
  maxResultsBytes: 64 * KIB,
  /** Ours: methods kept from one Authentication-Results field; Email Routing writes one for each signature and four more. */
  maxMethods: 10,
  /** Ours: signatures verified in one mail, from the top (RFC 6376 section 6.1 allows a limit). */
  maxSignatures: 5,
  /** Ours: header bytes of a mail whose signatures are verified. */
  maxHeaderBytes: 256 * KIB,
  /** Ours: bytes of such a mail; it is briefly in memory twice, and an isolate has 128 MB. */
  maxSignedBytes: 8 * MIB,
  /** Ours: fields that one signature covers; real ones name up to 40, each name twice. */
  maxSignedFields: 200,
  /** RFC 8301 section 3.2: a shorter RSA key proves nothing. */
  minRsaBits: 1024,
} as const;

/** Ours: DNS queries. */
export const DNS_LIMITS = {
  /** A later answer is ignored. */
  timeoutMilliseconds: 2000,
  /** Queries for one queue batch; each signature needs one, and none is repeated. */
  maxLookupsPerBatch: 100,
  /** RFC 1035: a message over TCP has a length of two bytes. */
  maxAnswerBytes: 65_535,
} as const;

/** Containers and documents as the report reader accepts them. */
export const READ_LIMITS = {
  /** Ours: decompressed bytes read from one object. A real report of a million records is 592 MB of XML. */
  maxOutputBytes: 1000 * MIB,
  /**
   * Ours: decompressed bytes per received byte, over all levels. The highest ratio of 666 real files is 8; of generated
   * reports 43 (5,000 records that differ in a name), or 110 if records differ only in a counted address. Deflate reaches
   * 1,032, and a million when applied twice.
   */
  maxOutputRatio: 150,
  /** Ours: decompressed bytes allowed whatever the ratio: a small report of equal records compresses very well. */
  freeOutputBytes: MIB,
  /**
   * Ours: the fewest received bytes per record. Real reports have 17 or more; records that differ only in a counted
   * address have 3.4.
   */
  leastBytesPerRecord: 2,
  /** Ours: records allowed however small the mail is: a million of them took 1.1 KB. */
  freeRecords: 4000,
  /** Ours: documents (reports and others) in one object. Real archives have 1 to 20. */
  maxDocuments: 1000,
  /** Ours: the fewest received bytes per document; the names and sizes of a zip entry alone take 120. */
  leastBytesPerDocument: 100,
  /** Ours: documents allowed however small the mail is. */
  freeDocuments: 50,
  /**
   * Ours: characters of one object that the general reader reads because no shape matches, at up to 60 ns each. In a real
   * report these are the first few records.
   */
  maxGeneralChars: 128 * MIB,
  /** Ours: characters added to that count for each record, which takes some 10 µs however short it is. */
  generalRecordChars: 256,
  /** Ours: characters of one object that only the XML parser can read or that are repaired, at up to 300 ns each. */
  maxParserChars: 16 * MIB,
  /** Ours: characters of all reports in one object, without records; a real report has 500 to 2,000. */
  maxReportChars: 8 * MIB,
  /** Ours: entries in one archive. Real archives have 1 to 20. */
  maxArchiveEntries: 1000,
  /** Ours: archive in archive. `.gz.gz`, a gzip inside a zip and a zip inside a gzip are real; more is an attack. */
  maxArchiveDepth: 2,
  /**
   * Ours: records in one object, or policies and failure details of TLS reports; the largest known real report has about
   * a million.
   */
  maxRecords: 1_048_576,
  /** Ours: unusable records in one report; with more, it is not accepted as a report. */
  maxSkippedRecords: 1000,
  /** Ours: messages of one record, or sessions of one count in a TLS report; no mail server sees more in a day. */
  maxCount: 1_000_000_000,
  /** Ours: the same for `dmarc parse`, which shows with a warning what the pipeline leaves out. */
  maxShownCount: 10_000_000_000,
  /** RFC 9990 section 3.1.3 allows 100 DKIM results; as many SPF results and override reasons are kept for a record. */
  maxResultsPerRecord: 100,
  /** Ours: elements, comments and instructions in one record; 100 each of DKIM results, SPF results and reasons need 1,200. */
  maxRecordElements: 2000,
  /** Ours: one `<record>` element as text; real ones have up to 100 DKIM results (RFC 9990 section 3.1.3). */
  maxRecordChars: 256 * KIB,
  /** Ours: all of a report but its records: metadata, policy, extensions; and a text file that is searched for reports. */
  maxFrameChars: MIB,
  /**
   * Ours: domains times days of one TLS report; each is a row of the ledger, and every row lists all of them. Real reports are about
   * one domain and day.
   */
  maxPolicyRows: 100,
  /**
   * Ours: policies of one TLS report, and characters of all their strings and mail hosts. They are stored with each row, and D1 refuses
   * rows over 2 MB. Real reports have one or two policies, of a few hundred characters.
   */
  maxPolicies: 1000,
  maxPolicyChars: 20_000,
  /** Ours: white space or zero bytes in a row. Pretty-printed reports have a few hundred. */
  maxPaddingChars: MIB,
  /** Ours: open XML elements. Real reports nest seven deep. */
  maxXmlDepth: 64,
  /** Ours: elements of one document outside records, and end tags without a start: against a million empty elements. */
  maxXmlElements: 20_000,
  /** Ours: characters kept of one value; the longest real value found has about 1,000. */
  maxValueChars: 8192,
  /** Ours: values in a JSON document; each takes up to a hundred bytes in memory. A failure detail has ten. */
  maxJsonValues: 300_000,
  /**
   * Ours: bytes of anything that must be in memory whole: JSON, a zip inside a mail or a gzip. A mail of 25 MiB has at
   * most 18 MiB encoded in base64.
   */
  maxHeldBytes: 20 * MIB,
  /** Ours: error elements kept of a report's metadata. */
  maxReportErrors: 20,
  /** Ours: bytes of a JSON document, which takes several times as much in memory; real TLS reports have a few KiB. */
  maxJsonBytes: 8 * MIB,
  /** Ours: a reported period may end up to two days after the mail arrived, because of clocks and time zones. */
  maxFutureSeconds: 2 * 86_400,
  /** Ours: the longest period of a report. Daily ones are the rule; weekly and monthly ones exist. */
  maxPeriodSeconds: 35 * 86_400,
  /**
   * Ours: the longest period that counts as one day, because of time zones and days of 25 hours; a longer one is spread
   * over its days.
   */
  maxDayPeriodSeconds: 36 * 3600,
  /** Ours: warnings kept with a report; the rest are counted. */
  maxWarnings: 100,
  /** Ours: XML up to this size is read at once instead of as a stream, if its file is in memory. Most have 2 to 20 KiB. */
  maxSmallDocumentBytes: 256 * KIB,
  /** Ours: bytes handed to the inflater at once. */
  inflateInputBytes: 16 * KIB,
  /** Ours: bytes of output passed on at once; smaller pieces make the platform's inflater up to three times slower. */
  inflateOutputBytes: 128 * KIB,
} as const;

/** Cloudflare Workers: one invocation on the paid plan (developers.cloudflare.com/workers/platform/limits). */
export const WORKER_LIMITS = {
  /** Calls to bindings and fetches together; 50 fetches and 1,000 calls on the free plan. */
  maxSubrequests: 10_000,
  /** KV operations of one invocation (developers.cloudflare.com/kv/platform/limits). */
  maxKvOperations: 1000,
  /** CPU of a cron run that is scheduled more often than hourly, whatever `[limits]` says; others have 15 minutes. */
  frequentCronCpuSeconds: 30,
} as const;

/**
 * Workers Analytics Engine (developers.cloudflare.com/analytics/analytics-engine/limits, whose older copies say 25 points;
 * …/changelog/post/2026-01-05-analytics-engine-limit; workerd's src/workerd/api/analytics-engine-impl.h).
 */
export const ANALYTICS_LIMITS = {
  maxBlobs: 20,
  maxDoubles: 20,
  maxIndexBytes: 96,
  /** All blobs of a point together. */
  maxBlobBytes: 16_000,
  /** Points one invocation may write, over its whole queue batch. */
  maxPointsPerInvocation: 250,
  /**
   * One statement of the SQL API, from the live service's own error message, which does not say whether it means bytes or
   * characters.
   */
  maxSqlBytes: 10_000,
  /** Days a point is kept: three months. */
  keptDays: 92,
} as const;

/** Cloudflare Queues (developers.cloudflare.com/queues/platform/limits, …/queues/configuration/batching-retries). */
export const QUEUE_LIMITS = {
  /** One message, its metadata of about 100 bytes included; KB = 1000 bytes. */
  maxMessageBytes: 128_000,
  maxBatchMessages: 100,
  maxBatchBytes: 256_000,
  /** Bytes counted for a message besides its body. */
  metadataBytes: 100,
  /** 24 hours; older copies of the page say 12. */
  maxDelaySeconds: 86_400,
  /** How long a message may wait on the paid plan. */
  maxRetentionSeconds: 1_209_600,
  /** Ours: points in one message of `dmarc-points`, so that they and their event fit into one invocation. */
  maxPointsPerSlice: 240,
  /** Ours: body of one slice as JSON, with room for the envelope. */
  maxSliceBytes: 120_000,
  /** Every operation is billed once for each of these (…/queues/platform/pricing). */
  billedBytes: 64_000,
  /** Ours: a raw object that its message carries. In base64, with metadata of 8 KB and a long key, it stays below `billedBytes`. */
  maxCarriedBytes: 32 * KIB,
} as const;

/** What ingest keeps between mails, and how long one may take. */
export const INGEST_LIMITS = {
  /**
   * Ours: a mail that is not stored by then is a fault, which its sender's server sees as a temporary error. Email Routing was seen to
   * end a Worker after 30 seconds (github.com/cloudflare/cloudflare-docs/issues/11723), and after 50 it bounces the mail for good
   * (…/pull/12591). D1 and Queues were seen to take a minute to fail (github.com/cloudflare/workerd/issues/6053).
   */
  answerMilliseconds: 20_000,
  /** Ours: how long an isolate knows a registered address without asking; KV shows a removal up to a minute late itself. */
  keptAddressMilliseconds: 5000,
  /** Ours: recipients known at once, some 200 bytes each. */
  keptAddresses: 1000,
} as const;

/** Cloudflare R2 and KV (developers.cloudflare.com/r2/platform/limits, …/kv/platform/limits). */
export const STORAGE_LIMITS = {
  maxKeyBytes: 1024,
  /** Custom metadata of one R2 object, all keys and values. */
  maxMetadataBytes: 8192,
  maxListKeys: 1000,
  maxKvKeyBytes: 512,
  /** Ours: file name kept in a key. */
  maxFileNameBytes: 200,
  /** Ours: one value of custom metadata. */
  maxMetadataValueBytes: 1000,
} as const;

/** What `dmarc import` sends and the API accepts. */
export const IMPORT_LIMITS = {
  /**
   * Ours: files in one call; each is a put in R2, and an invocation on the free plan has 50 subrequests and 50 queries to
   * D1.
   */
  filesPerCall: 40,
  /** Ours: bytes of a file that shares a call with others; a larger one is streamed alone. */
  maxSharedFileBytes: 256 * KIB,
  /** Ours: bytes of all files in one call. */
  maxCallBytes: MIB,
  /** Ours: bytes of the body of such a call: the files in base64, with their metadata. */
  maxCallBodyBytes: 2 * MIB,
  /** Cloudflare accepts requests of at most 100 MB on the Free and Pro plans. Ours: a little less. */
  maxFileBytes: 90 * MIB,
  /** Ours: characters of a file name, and of where a file was found. */
  maxNameChars: 255,
  maxOriginChars: 500,
  /** Ours: files whose import one call may check. */
  askedPerCall: 500,
} as const;

/**
 * What differs where Workers run on the free plan: 10 ms of CPU and 50 queries to D1 an invocation
 * (developers.cloudflare.com/workers/platform/limits, …/d1/platform/limits, …/queues/platform/pricing).
 */
export const FREE_PLAN_LIMITS = {
  cpuMilliseconds: 10,
  maxQueriesPerInvocation: 50,
  /** How long a queue keeps a message, whatever its settings say. */
  retentionSeconds: 86_400,
  /** Ours: messages in a batch, so that one invocation reads one report. */
  maxBatchSize: 1,
  /** Ours: invocations of a consumer at once. */
  maxConcurrency: 2,
  /** Ours: a larger file is not read, because it may take more than 10 ms. Some 60 records, compressed. */
  maxReportBytes: 2500,
  /** Ours: DNS queries among the 50 subrequests of an invocation; the rest is for a policy file and for storing results. */
  dnsQuestions: 30,
  /** Ours: queries that one run spends on the round over all domains. */
  watchQueries: 24,
} as const;

/** Cloudflare's own API, as `npm run deploy` asks it (developers.cloudflare.com/fundamentals/api/reference/limits). */
export const CLOUDFLARE_API_LIMITS = {
  /**
   * Requests of a user or token in five minutes; beyond the limit, everything is refused for five minutes. Ours: less
   * than the limit, which leaves some to wrangler.
   */
  requestsPerWindow: 1000,
  windowMilliseconds: 300_000,
  /** Ours: attempts for a request that is answered with 429, and the delay if the answer does not give one. */
  maxAttempts: 4,
  defaultRetryMilliseconds: 5000,
  /** Ours: items on a page of a listing; 50 is the most that every listing accepts. */
  perPage: 50,
} as const;

/** Ours: retry delays, exponential from RETRY_BASE_SECONDS of the TOML, clamped (Queues: at most 86,400 s). */
export const RETRY_LIMITS = {
  maxDelaySeconds: 6 * 3600,
  /**
   * Messages that wait for the next day, because D1's rows for today are used up, are retried within this time after
   * midnight.
   */
  nextDaySpreadSeconds: 900,
} as const;

/** Ours: how a batch of messages is processed. */
export const BATCH_LIMITS = {
  /** Messages of a batch processed at once; an invocation has six connections. */
  maxConcurrentMessages: 5,
  /** A larger raw object is read in a separate invocation, so that it takes no CPU time or memory from others. */
  maxSharedObjectBytes: 512 * KIB,
  /** From this delivery on, a message is tried alone: if it is the one that ends its invocation, others no longer suffer. */
  aloneFromAttempt: 3,
} as const;

/**
 * Ours: counts of mail to addresses that are not registered. A flood, however large, writes at most 20,000 rows a day and
 * leaves 101.
 */
export const REFUSED_MAIL_LIMITS = {
  /** Addresses counted separately on one day; mail to others is counted together. */
  addressesPerDay: 100,
  /** Mails counted for one address and day; there may have been more. */
  mailsPerAddress: 100,
  /** Mails counted for all other addresses of a day. */
  otherMailsPerDay: 10_000,
  /** Characters kept of an address (RFC 5321 allows 254). */
  maxAddressChars: 254,
  /** Addresses shown on a page or in one answer. */
  addressesShown: 500,
  keptDays: 31,
} as const;

/** Ours: daily upkeep (process: scheduled()). */
export const UPKEEP_LIMITS = {
  /** Days searched for unfinished objects, besides days that had some at the last count. */
  reconciledDays: 7,
  /** Objects younger than this may still be in queues and retries. */
  graceSeconds: 12 * 3600,
  /** How long last errors of messages are kept. */
  keptFaultSeconds: 30 * 86_400,
  /** How long ended jobs are kept. */
  keptJobSeconds: 90 * 86_400,
  /** Days after which figures of a day are merged: no more reports about it are expected. */
  mergedAfterDays: 4,
  /** Fewest reports of a day that is merged; with fewer, merging gains nothing. */
  mergedReports: 5,
  /**
   * Days of domains that one run merges, and makes final, in each database: 10,000 domains add 10,000 of each a day. They
   * share the 1,000 queries of an invocation: 60 transactions of two queries, and 60 of four.
   */
  daysPerRun: 15_000,
  /** Days of domains in one transaction. */
  daysAtOnce: 250,
  /** Records of the reports that one transaction merges. */
  mergedRecordsAtOnce: 50_000,
  /** Batches of rows of each kind that one run removes; each is one query. */
  stepsPerRun: 60,
  /** Rows removed at once: reports that no longer count, and objects. */
  rowsPerStep: 2000,
  /** Chunks of figures without a report, removed at once; each may have 400,000 characters. */
  chunksPerStep: 10,
  /** Due copies of the registry that one run makes; each is one KV write. */
  copiesPerRun: 500,
  /** The same for the hourly run, after a failed KV write; together with the daily run, below the free plan's 1,000. */
  copiesPerHour: 20,
  /** Mail may arrive this long before or after the end of the period it reports on. */
  objectGraceDays: 45,
} as const;

/**
 * Ours: forgetting an account, one page for each message. A page stays below the 50 queries and 50 calls that an invocation
 * has on the free plan.
 */
export const FORGET_LIMITS = {
  /** Addresses that one page closes; each is one deletion in KV. */
  addressesPerPage: 40,
  /** Rows that one statement removes. */
  rowsPerStatement: 1000,
  /** Rows that one statement reads where no index leads to the account's rows. */
  rowsScanned: 20_000,
  /** Statements of one page. */
  statementsPerPage: 20,
  /** Addresses, and domains, that rows are compared with at once. */
  namesAtOnce: 4000,
  /**
   * After this time, any consumer that was running when the addresses were closed has ended (15 minutes), and no old copy
   * in KV is read (a minute). Then everything is searched once more.
   */
  settleSeconds: 20 * 60,
  /** How long hashes of forgotten addresses are kept: messages and their retries live for at most 14 days. */
  keptSeconds: 30 * 86_400,
  /** Rows of a table in one answer of an export; that of a report has 300,000 characters at most, and D1's answers have 32 MiB. */
  exportedRows: 100,
  /** The same of tables of figures, whose rows have 400,000 characters. */
  exportedFigureRows: 20,
  /** Characters in one answer of an export; the row that exceeds them is the last. */
  exportedChars: 4 * MIB,
} as const;

/** Ours: what the dashboard does and shows at once. */
export const DASHBOARD_LIMITS = {
  /** Requests for data in one isolate at once; a page asks up to five statements and holds up to 10 MB. */
  maxRequests: 12,
  /** After this time a request no longer counts, even if it has not ended. */
  maxSeconds: 60,
  /** D1 ends a query after 30 seconds; what has not answered by then was seen to take more than a minute to fail. */
  ledgerMilliseconds: 30_000,
  /** Until `/health` says that what it asks is down. */
  healthMilliseconds: 10_000,
  /** Characters shown of one text from outside; files have the whole text. */
  maxTextChars: 1000,
  /** Characters shown of one name, address or id; a domain has at most 253. */
  maxNameChars: 300,
  /** Characters shown of a queue message as JSON; queues accept up to 128 KB. */
  maxJsonChars: 20_000,
  /** Reporters offered as a filter on the page Reports. */
  maxReporters: 200,
  /** Rows of a CSV file that the database sorts: twice the domains of a large provider. */
  maxExportRows: 20_000,
  /** Items shown of a list within a table's cell: DKIM results of a record, lines of a policy. */
  maxListed: 20,
  /** Items of such a list that unfold below them; files have the rest. */
  maxUnfolded: 100,
  /** Newest record changes and decisions that the timeline of a domain shows for a period. */
  maxTimelineEvents: 100,
  /** How long a page waits for Analytics Engine, which it needs only for a trend. */
  engineTimeoutMs: 3000,
  /** Calls to process for one form: a request may make 32 (developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings). */
  callsPerForm: 25,
  /** Seconds after which to try again, sent with a refusal. */
  retryAfterSeconds: 2,
} as const;

/** Ours: requests to the API; DASHBOARD_LIMITS says how many at once. */
export const API_LIMITS = {
  /** Bytes of a body: a statement, a registry entry or a list of 500 domains is far smaller. */
  maxBodyBytes: 256 * KIB,
} as const;

/** Ours: API tokens of programs. */
export const TOKEN_LIMITS = {
  /** Random bytes of a secret: nobody guesses 256 bits. */
  secretBytes: 32,
  /** Tokens of one account, or of the operator, without revoked and expired ones. */
  perAccount: 50,
  /** Characters of a name. */
  nameChars: 64,
  /** Days until a token expires, at most; a token may also never expire. */
  maxDays: 3650,
  /** How often the use of a token is recorded; each time is a write to the ledger. */
  usedSeconds: 3600,
  /** How long a revoked or expired token stays in the list: 90 days. */
  keptSeconds: 90 * 86_400,
} as const;

/** Ours: statements in the local Analytics Engine; there is room for all that the dashboard sends at once. */
export const LOCAL_ENGINE_LIMITS = {
  maxRunning: 4,
  maxWaiting: 60,
  retryAfterSeconds: 2,
} as const;

/** Ours: pages of jobs and of operations on dead letters. */
export const PAGE_LIMITS = {
  /** Keys read by one message of a job. */
  jobKeys: 1000,
  /** Copies of the registry read in one call; each is a KV call, and the free plan allows 50. */
  copiesRestored: 40,
  /** R2 calls by one message of a reconcile job; a day without mail takes one. */
  jobListings: 40,
  /** Reports with overdue slices that are sent again at once. */
  dueSlices: 500,
  /** The newest jobs, whose progress is shown. */
  jobsFollowed: 10,
  /** Dead letters or conflicts listed, requeued or discarded in one call. */
  deadLetters: 100,
  /** Conflicts of a reporter and domain decided in one call; each writes an event, and an invocation may write 250 points. */
  keptConflicts: 200,
  /** Incidents, or notices, in one answer, and on one page. */
  incidents: 1000,
  /** Domains, reports or sources in one answer. */
  listed: 1000,
  /** Jobs shown. */
  jobs: 100,
  /** Tokens in one answer. */
  tokens: 500,
  /** Sums of a domain and day in one answer, about 1 MB of JSON; a caller who needs more asks for fewer days at a time. */
  domainDays: 10_000,
  /** Policies, policy lines and failure details of one TLS report that its page gets; real reports have a few dozen. */
  reportItems: 5000,
  /** Characters of all of these. */
  reportChars: 2 * MIB,
} as const;

/** Forwarding of accepted reports to an account's targets. */
export const FORWARD_LIMITS = {
  /** Ours: targets of one account, and of all accounts together. */
  targetsPerAccount: 10,
  /** Ours: records in one part of a report, about 500 KB of JSON; Splunk Cloud recommends at most 1 MB a request. */
  recordsPerPart: 1000,
  /** Ours: characters of all events in one request to Splunk. */
  batchChars: 800_000,
  /** Ours: reports looked up at a time, and the most events of reports in one request to Splunk. */
  reportsAtOnce: 100,
  /** Ours: requests made by one message; Cloudflare's free plan allows 50 an invocation, and queries of D1 count as well. */
  requestsPerRun: 20,
  /**
   * Ours: time for all requests of a message, including the last answer: the message holds one of five places of
   * `dmarc-points`.
   */
  runMilliseconds: 10_000,
  /** Ours: a message starts no request after this time, so that the last one has time to finish. */
  beginMilliseconds: 5000,
  /** Ours: a request that has not ended by then was interrupted. */
  claimSeconds: 180,
  /** Ours: delay after the first failed attempt; doubles with each, unless the target names another. */
  firstRetrySeconds: 30,
  /** Ours: the longest delay. */
  maxRetrySeconds: 3600,
  /** Ours: a target may be down for a week before its waiting reports count as failed. */
  giveUpSeconds: 7 * 86_400,
  /** Ours: rows in the list of reports that were not accepted, on the page and in files. */
  unsentShown: 500,
  /** Ours: how long failed reports are kept for a retry. */
  keptSeconds: 90 * 86_400,
  /** Ours: characters kept of a target's answer. */
  resultChars: 300,
} as const;

/** Answers of the tools for assistants, which read all of them. */
export const MCP_LIMITS = {
  /** Ours: entries of each list in an answer. They are halved until the answer is small enough. */
  itemsPerList: 100,
  /** Ours: characters of one text; a key of DKIM has 750, a record to publish fewer than 500. */
  textChars: 2000,
  /** Ours: characters of an answer as JSON, some 30,000 words of a language model. */
  answerChars: 100_000,
} as const;

/** Exports of records. */
export const EXPORT_LIMITS = {
  /** Ours: reports in one call; each is an R2 call, and Cloudflare allows 1,000 an invocation. */
  reportsPerPage: 400,
  /** Ours: a call ends after the report that reaches this many records; the largest report has a million. */
  recordsPerPage: 50_000,
  /** Ours: accounts read by one call, with two queries each; D1 allows 1,000 an invocation. */
  accountsPerPage: 200,
  /** Ours: records of a report held back until the whole report is read, so that an unreadable report exports none. */
  heldRecords: 2000,
  /** Ours: characters of an answer sent at a time. */
  pieceChars: 64 * KIB,
  /** Ours: rows of one row group of a Parquet file, held in memory until it is written. */
  parquetRows: 20_000,
} as const;

/** Ours: how much of one raw object process holds in memory; an isolate has 128 MB. */
export const PROCESS_LIMITS = {
  /** A raw object up to this size is fetched once; a larger one is streamed and read by range. */
  maxHeldObjectBytes: 8 * MIB,
  /** Records of one object kept from the first reading; a report with more is read a second time for its points. */
  maxHeldRecords: 1000,
  /** Records kept of all objects of a batch. */
  maxHeldRecordsPerBatch: 5000,
  /** Pages of raw keys looked at by one status request. */
  statusPages: 20,
  /** How often a batch is decided again because another consumer was faster. */
  maxDecisions: 6,
  /** Slices reserved for a report at a time, with one ledger row each time. */
  reservedSlices: 1000,
  /** Points that supersede earlier ones and count nothing, built at a time. */
  stalePointsAtOnce: 10_000,
  /** Records of a report that its page gets in one call. */
  maxRecordsPerCall: 1000,
  /** A page that ends within this many sorted records can be sorted; a deeper one stays in the order of the report. */
  maxOrderedRecords: 20_000,
  /** Characters of the records kept from the first reading; ordinary records have some 100 each, hostile ones 250,000. */
  maxHeldRecordChars: 2 * MIB,
  /** Dead letters for one object; with more, it gets a single one with counts by reason. */
  maxDeadLettersPerObject: 20,
  /** Distinct records compared between two versions of a report; of larger reports, the first ones. */
  maxComparedRecords: 20_000,
  /** Differences shown between two versions, the largest first. */
  maxDifferences: 100,
  /** Characters of the description of each difference. */
  maxDifferenceChars: 400,
  /** Conflicts of one object that are filed one by one; the others wait as one dead letter with their count. */
  maxConflictsPerObject: 20,
  /** Other objects that contained a report, kept with it and read again if it stops counting. */
  maxOtherObjects: 20,
  /**
   * The delay until then: an invocation ends after at most 15 minutes of wall time
   * (developers.cloudflare.com/workers/platform/limits), so the one that stops the report counting has finished or failed.
   */
  readOthersAfterSeconds: 15 * 60,
} as const;

/** Cloudflare D1 (developers.cloudflare.com/d1/platform/limits) and how the ledger keeps within it. */
export const D1_LIMITS = {
  /** One row, one text, one bound value. KB and MB are decimal here: the smaller reading. */
  maxRowBytes: 2_000_000,
  maxParameters: 100,
  /** Of each statement of a batch. */
  maxStatementBytes: 100_000,
  /** Columns of a table, and of a result. */
  maxColumns: 100,
  /** Arguments of one SQL function. workerd, which runs D1 on one machine, accepts 127. */
  maxFunctionArguments: 32,
  /** A LIKE or GLOB pattern. */
  maxPatternBytes: 50,
  /**
   * One call: its statements with all that is bound to them, or everything that it answers. D1 is asked by RPC, whose limit this is
   * (developers.cloudflare.com/workers/runtime-apis/rpc/#limitations), so the 50 MB that its page gives a result are never reached; users
   * met it as "D1_ERROR: Serialized RPC arguments or return values are limited to 32MiB".
   */
  maxCallBytes: 32 * MIB,
  /** Terms of one UNION, and levels of one expression: not documented, but workerd configures SQLite so (tried). */
  maxCompoundTerms: 5,
  maxExpressionDepth: 100,
  /** Queries an invocation may make on the paid plan; 50 on the free one. */
  maxQueriesPerInvocation: 1000,
  /** Ours: characters of one JSON parameter that carries rows; a character is at most three bytes of UTF-8. */
  maxParameterChars: 600_000,
  /** Ours: rows of reports that one JSON parameter names: 400 bytes each, of the 2 MB of a value, where names are long. */
  maxReportRows: 4000,
  /** One database, on the paid plan. */
  maxDatabaseBytes: 10_000_000_000,
  /** The same on the free plan. */
  maxFreeDatabaseBytes: 500_000_000,
  /** Ours: databases of one ledger. An operator's page and the daily upkeep ask each of them: a few queries of the thousand. */
  maxDatabases: 20,
} as const;

/**
 * Ours: how the use of the daily budgets is found. A thousand rows read cost what one row written does, so a day is counted from its
 * objects while they are few, and has sums from then on (shared/ledger/day-uses.ts).
 */
export const USE_LIMITS = {
  /** Objects of an address and day that are counted; where those of all addresses of an account are, they share the number. */
  countedObjects: 500,
  /** Of an account with more addresses, sums are kept from its first object of a day on. */
  countedAddresses: 16,
  /**
   * Reporters of an address and day that have a sum each, verified ones and others apart: 20 bytes each. Those that come after
   * them share a budget. A batch may go beyond it by its own reporters.
   */
  namedReporters: 1000,
  /** Sums of days long past are removed: mail comes on its day, and what is reprocessed is not held against a budget. */
  keptDays: 7,
} as const;

/** Ours: figures of a report as the ledger packs them (shared/ledger/figures.ts). */
export const FIGURE_LIMITS = {
  /** One JSON object of figures; a report with more has several. */
  maxChunkChars: 400_000,
  /** Figures kept in the row of the report itself. An ordinary report has a thousand characters. */
  maxInlineChars: 60_000,
  /** Distinct DKIM or SPF results kept for one record, passing ones first; real records have one or two. */
  maxResults: 10,
  maxReasons: 4,
  /** Characters of a domain name, an address or another label: DNS allows 253. */
  maxTextChars: 255,
  maxSelectorChars: 100,
  /** Characters of a reason's comment. */
  maxCommentChars: 120,
  /**
   * Characters of one text of a report's details, such as an error: some hundreds of reports are in one answer of D1
   * (D1_LIMITS.maxCallBytes). The raw object has all of it.
   */
  maxDetailChars: 1000,
} as const;

/** Checks of a domain's published records. */
export const GUIDANCE_LIMITS = {
  /** Ours: DNS queries of one check. SPF's ten lookups with ten hosts of an mx each need at most 200. */
  maxQuestionsPerCheck: 200,
  /** Ours: records of one answer kept as evidence. */
  maxShownRecords: 20,
  /** Ours: characters of such a record. */
  maxShownRecordChars: 2000,
  /** Ours: bytes of all of them in one check, as JSON: a check of all kinds is one row of D1, of 2 MB at most. */
  maxEvidenceBytes: 60_000,
  /** Ours: findings kept of one check, the worst first. */
  maxFindings: 50,
  /** Ours: addresses that are looked up of each of rua and ruf; real records have one to five. */
  maxReportAddresses: 50,
  /** RFC 7208 section 4.6.4: terms that ask DNS, over the whole of a record's includes. */
  maxSpfLookups: 10,
  /** Ours: from this number on, a warning says that the limit is near. */
  warnSpfLookups: 8,
  /** Ours: lookups after which counting ends: a record that needs this many is broken anyway. */
  maxCountedSpfLookups: 40,
  /** Ours: terms proposed for one source; a source with more addresses needs an include. */
  maxAddedSpfTerms: 6,
  /** Ours: how long a page waits for DNS before it says unknown; it must answer within 1.5 seconds. */
  pageDnsMilliseconds: 800,
  /** Ours: addresses of one source in its SPF advice, those with the most messages. */
  maxSpfSources: 50,
  /** Ours: return paths shown for one source. */
  maxReturnPaths: 20,
  /** RFC 7208 section 4.6.4: lookups without an answer. */
  maxVoidSpfLookups: 2,
  /** RFC 7208 section 4.6.4: hosts of one mx term. */
  maxSpfMxHosts: 10,
  /** RFC 7208 section 3.4: octets of a record that fit into a DNS answer over UDP. */
  maxSpfOctets: 450,
  /** Ours: DKIM selectors looked up for one domain, most recently seen first. */
  maxSelectors: 20,
  /** RFC 8461 section 3.3: bytes of an MTA-STS policy file. */
  maxPolicyFileBytes: 64 * KIB,
  /** Ours: RFC 8461 section 3.3 suggests a minute; a person waits for the answer. */
  policyFileTimeoutMilliseconds: 5000,
  /**
   * Ours: the fewest seconds that senders may remember a policy served here; with less than a day, an attacker only has
   * to wait.
   */
  minMtaStsSeconds: 86_400,
  /** RFC 8461 section 3.2: the most seconds that senders may remember it, about a year. */
  maxMtaStsSeconds: 31_557_600,
  /** Ours: mail hosts or patterns in a policy served here. */
  maxMtaStsPatterns: 30,
  /** Ours: days in mode testing, with TLS reports and no failure, before enforce is advised. */
  mtaStsTestingDays: 14,
  /** Ours: days among these with reports about sessions under the policy; large senders report every day. */
  mtaStsReportDays: 7,
  /** Ours: days for which failures of an enforced policy are shown. */
  mtaStsFailureDays: 7,
  /** Ours: changes of a policy that are shown. */
  maxShownPolicyChanges: 20,
  /** Ours: hosts of a domain's MX records that are checked. */
  maxMxHosts: 10,
  /** Ours: DNS queries for all checks of one domain; an invocation has 10,000 subrequests. */
  maxQuestionsPerDomain: 300,
  /** Ours: DNS queries for an ordinary domain. */
  questionsOfDomain: 30,
  /**
   * Ours: domains checked by one cron run, 4,800 a day. At 30 queries each, they take 6,000 of an invocation's 10,000
   * subrequests.
   */
  checksPerRun: 200,
  /** Ours: a person who asks again within this time gets the same check. */
  checkedNowSeconds: 20,
  /** Ours: cron does not repeat a check younger than this. */
  checkAgainSeconds: 20 * 3600,
  /** Ours: nor one that there were not enough questions for, as on the free plan. */
  checkRestSeconds: 3000,
  /** Ours: a domain is checked if a report about it arrived within this many days. */
  reportedDays: 30,
  /** Ours: the key of a DKIM selector is checked if reports named it within this many days. */
  selectorDays: 30,
  /** Ours: reverse names of one address that are tried. */
  maxReverseNames: 3,
  /** Ours: addresses looked up for one page, with four or five queries each. */
  namedAtOnce: 50,
  /** Ours: addresses of one page that are named, those with the most messages. */
  maxNamedAddresses: 500,
  /** Ours: addresses of one domain whose names its verdict uses. */
  maxNamedOfVerdict: 200,
  /** Ours: addresses of the owner's own mail whose networks count as home, those with the most messages. */
  maxHomeAddresses: 10,
  /** Ours: of these, addresses looked up with a daily check, with four or five queries each. */
  namedPerCheck: 20,
  /** Ours: the share of a check run's queries that may look up names in addition: 2,000 of 6,000. */
  nameQuestionsPart: 1 / 3,
  /** Ours: names are looked up only if this many queries are left, enough for one check. The free plan's 30 are for checks. */
  questionsForNames: 100,
  /** Ours: addresses looked up side by side. */
  lookupsSideBySide: 6,
  /** Ours: names of addresses are kept for a month. */
  keptNameSeconds: 30 * 86_400,
  /** Ours: record changes shown for one domain. */
  maxShownChanges: 50,
} as const;

/** Ours: the round over all domains (process: scheduled()). */
export const WATCH_LIMITS = {
  /** Days that a stored verdict covers: the default period of the pages. */
  verdictDays: 30,
  /** The shortest time between the starts of two rounds. */
  secondsBetweenRounds: 15 * 60,
  /** Domains that one statement checks for changes. */
  domainsAtOnce: 200,
  /** Ours: domains behind the round's place among which the last one judged is looked for: some pages of them. */
  judgedBehind: 1000,
  /** Domains whose facts one statement reads. */
  factsAtOnce: 20,
  /** Runs that may fail at one domain before the round skips it. */
  maxAttempts: 3,
  /** Days of mail that rules see: five weeks, so that four earlier weeks have the same weekday. */
  historyDays: 35,
  /** Days in which a reporter's habit, and a silence after it, are looked for. */
  reporterDays: 45,
  /** Newest days for which reasons of failed TLS sessions are shown. */
  tlsReasonDays: 4,
  /** Largest sources of a domain whose days are kept separately; the rest is combined. */
  maxSources: 300,
  /** Reporters of a domain whose days are examined, those with the most reports. */
  maxReporters: 50,
  /** Record changes among which a cause is looked for. */
  maxChanges: 50,
  /** Notices sent immediately for one domain and day; the rest waits for the digest. */
  noticesPerDomainAndDay: 1,
  /** A problem that persists is announced again after a week. */
  remindAfterSeconds: 7 * 86_400,
  /** A problem not found for this long is over; a single day without it may be a day without reports. */
  resolveAfterSeconds: 36 * 3600,
  /** A problem that returns within this time is the same incident. */
  sameIncidentSeconds: 3 * 86_400,
  /** An event found again within this time was already announced. */
  eventIsKnownSeconds: 30 * 86_400,
  /** Mutes of one account; each visit of one of its domains reads all of them. */
  mutesPerAccount: 1000,
  /** How long resolved incidents are shown. */
  shownSeconds: 90 * 86_400,
  /** How long resolved incidents and notices are kept. */
  keptSeconds: 400 * 86_400,
} as const;

/** The worklist: what to do next over all domains (shared/watch/work.ts). */
export const WORK_LIMITS = {
  /** Ours: work items kept for one domain, the most important ones. */
  itemsPerDomain: 20,
  /** Ours: if at most this share of a sender's mail fails, the failures are mostly messages changed in transit. */
  breaksShare: 0.02,
  /** Ours: number of domains from which on an unknown sender gets its own line; the others share one. */
  sharedDomains: 3,
  /** Ours: up to this many senders, each gets its own line. */
  fewSenders: 10,
  /** Ours: lines shown on a page; a person reads no more. */
  linesOnPage: 50,
  /** Ours: lines in one answer. */
  lines: 500,
  /** Ours: domains shown when a line is unfolded; another page has the rest. */
  domainsUnfolded: 10,
  /** Ours: domains of a line in one answer. */
  domainsListed: 1000,
} as const;

/** Ours: weight of each kind of work, as a share of its messages a week. Refused messages count twice. */
export const WORK_WEIGHTS = {
  /** Failing mail of own senders, and of undecided senders that are probably real. */
  own: 1,
  /** Failing mail of other undecided senders: most of it is not the owner's. */
  undecided: 0.1,
  /** Forwarded mail, and the few messages changed in transit: little can be done about them. */
  notMended: 0.1,
  /** Mail that passes by SPF alone. */
  spfOnly: 0.01,
  /** A stricter policy that is due, by own messages. */
  publish: 0.005,
  /** The same for a domain that sends nothing, in messages. */
  park: 0.5,
  /** An MTA-STS policy that blocks mail, by own messages, and at least this many messages. */
  mailLost: 0.1,
  mailLostLeast: 20,
  /** The same for reports that stopped. */
  reportsStopped: 0.05,
  reportsStoppedLeast: 10,
  /** The same for a broken record, or failing TLS. */
  broken: 0.02,
  brokenLeast: 5,
} as const;

/** Tags of domains, and groups of accounts. */
export const TAG_LIMITS = {
  /** Ours: tags of one domain, few enough to fit into a row of the list. */
  perDomain: 10,
  /** Ours: characters of a tag, or of a group's name. */
  chars: 32,
  /** Ours: domains tagged by one call and statement: those of a large account. */
  domainsAtOnce: 5000,
  /** Ours: tagged domains, or tags, in one answer: twice the domains of a large provider. */
  listed: 20_000,
  /** Ours: tags, and groups, offered as filters above the list of domains. */
  offered: 30,
} as const;

/** Channels and deliveries (shared/notify). */
export const NOTIFY_LIMITS = {
  /** Ours: channels of one account. */
  channelsPerAccount: 20,
  /** Ours: characters of a channel's name. */
  nameChars: 80,
  /** Ours: characters of a mail address or URL. */
  targetChars: 1000,
  /** Ours: age of the notices that get deliveries: three days, so that an outage of cron loses none. */
  noticeSeconds: 3 * 86_400,
  /**
   * Ours: notices of an account that are sent on their own in a day about domains that nobody registered. Anybody may report
   * about as many as they like; what is beyond is in the digest and on the page Alerts.
   */
  noticesOfUnregistered: 50,
  /** Ours: deliveries that one cron run enqueues in each database; sendBatch takes 100 messages. */
  deliveriesPerRun: 100,
  /**
   * Ours: deliveries to one channel in one message, sent one after the other; each takes six of the free plan's 50
   * subrequests.
   */
  deliveriesPerMessage: 6,
  /** Ours: a link that confirms a mail address is valid for a week. */
  confirmationSeconds: 7 * 86_400,
  /** Ours: questions to confirm an address that one account sends within a day, those to channels removed since included. */
  confirmationsPerDay: 10,
  /** Ours: questions to confirm that one address gets from an account within a week. */
  confirmationsPerAddress: 3,
  /** Ours: a delivery whose message is lost with its queue is enqueued again after this. */
  lostMessageSeconds: 15 * 60,
  /** Ours: an attempt that has not ended by then was interrupted; it may have succeeded. */
  claimSeconds: 120,
  /** Ours: how long a webhook may take to answer. */
  timeoutMilliseconds: 10_000,
  /** Ours: characters kept of a channel's answer. */
  resultChars: 300,
  /** Ours: delay after the first failed attempt; doubles with each. */
  firstRetrySeconds: 60,
  /** Ours: the longest delay. */
  maxRetrySeconds: 6 * 3600,
  /** Ours: a channel may be down for three days before a delivery counts as failed. */
  giveUpSeconds: 3 * 86_400,
  /** Ours: how long ended deliveries are listed. */
  keptSeconds: 90 * 86_400,
  /** Ours: deliveries shown on a page. */
  deliveriesShown: 100,
  /** Ours: local hour at which digests are due. */
  digestHour: 8,
  /** Ours: items listed under one heading of a digest; the rest is counted. */
  digestItems: 10,
  /** Ours: days in the chart of a digest. */
  digestDays: 30,
  /** Ours: domains, incidents and notices read for a digest. */
  digestDomains: 200,
  /** Slack: characters of one text of a block. */
  chatChars: 3000,
} as const;

/** Accounts and their people. */
export const ACCOUNT_LIMITS = {
  /** Ours: characters of an account's name. */
  nameChars: 100,
  /** Ours: bytes of a logo; every digest contains it. */
  logoBytes: 64 * KIB,
  /** Ours: people with a role in one account. */
  peoplePerAccount: 1000,
  /** Ours: accounts in one answer. */
  listed: 100,
  /**
   * Ours: lines of an import in one call. A few statements read and write all of them, so the free plan's 50 statements are
   * enough.
   */
  importedAtOnce: 500,
  /** Ours: lines of a whole import. */
  importedLines: 20_000,
  /** Ours: bytes of a file that is imported in the browser: 20,000 lines of a hundred bytes. */
  importBytes: 2 * MIB,
} as const;

/** The audit log. */
export const AUDIT_LIMITS = {
  /** Ours: entries are kept for a year and a month. */
  keptSeconds: 396 * 86_400,
  /** Ours: old entries removed by one run of the daily upkeep. */
  removedPerRun: 10_000,
  /** Ours: characters kept of an input or state as JSON; longer ones are cut. */
  jsonChars: 4000,
  /** Ours: entries in one answer. */
  listed: 100,
  /** Ours: entries counted for the page numbers of a list. */
  counted: 10_000,
} as const;

/** Contents of a printed monthly report, which has two pages. */
export const REPORT_LIMITS = {
  /** Ours: notices, record changes and decisions read, and the highest count shown. */
  rowsRead: 200,
  /** Ours: lines of a list. */
  listed: 10,
  /** Ours: open incidents listed. */
  openListed: 4,
  /** Ours: senders listed for a domain. */
  senders: 20,
  /** Ours: domains of an account that are read, and that are listed. */
  domainsRead: 20_000,
  domains: 30,
} as const;

/** Added domains, which are watched until their first report. */
export const SETUP_LIMITS = {
  /** Ours: domains added by one call; their addresses are one parameter, and their copies in KV follow later. */
  addedAtOnce: 500,
  /** Ours: domains of one account; a provider's ten thousand fit. */
  domainsOfAccount: 20_000,
  /** Ours: copies in KV made by the call that adds domains; upkeep makes the others, and ingest asks D1 until then. */
  copiedWhenAdded: 20,
  /** Ours: set-ups checked by one cron run, with up to a dozen DNS queries each. */
  checksPerRun: 100,
  /** Ours: cron does not check a set-up again within this time. */
  checkAgainSeconds: 3000,
  /** Ours: nor does an open page within this time; receivers' caches are slower. */
  pageCheckSeconds: 20,
  /** Ours: an open page of a domain without a report reloads after this time. */
  pageRefreshSeconds: 15,
} as const;

/** Decisions of one owner about one domain; a verdict reads all of them. */
export const DECISION_LIMITS = {
  /** Ours: subjects of a domain with a decision; a prefix, a domain or a service covers many senders. */
  maxSubjects: 1000,
  /** Ours: newest decisions kept for each subject: the current one and its history. */
  maxKept: 50,
} as const;

/** When a verdict says what. docs/verdict.md has the error rate they lead to. */
export const VERDICT_LIMITS = {
  /**
   * Ours: days of the period since reports began, so that what is sent monthly is mostly seen; two of 30 are still to be
   * reported.
   */
  minSpanDays: 25,
  /** Ours: days with reports, of a domain that sends. */
  minDaysWithReports: 8,
  /** Ours: messages of the owner's senders; small domains shall have an answer too. */
  minMessages: 20,
  /**
   * Ours: share of the owner's mail that is refused from which on real senders are being rejected: what we promise to
   * stay under.
   */
  maxLostShare: 0.001,
  /** Ours: share of the mail at receivers that send no reports; nothing public says it. */
  unreportedShare: 0.1,
  /** Ours: probability that with them the loss is not below maxLostShare, from which on failing mail stands in the way. */
  maxRisk: 0.25,
  /** Ours: share of the mail that passes up to which one unidentified source is left out. */
  negligibleShare: 0.00025,
  /** Ours: parts of the period (ten) from which on a source is steady. */
  steadyParts: 4,
  /** Ours: unauthenticated addresses seen in one part of the period that are not yet a run of spoofing. */
  maxLoneServers: 3,
  /** Ours: parts of the period (ten) with unauthenticated mail from which on spoofers come all the time. */
  spoofedParts: 8,
  /** Ours: times the messages of a typical unauthenticated address, up to which one may be part of a run of spoofing. */
  maxTimesTypical: 3,
  /** Ours: share of the mail that passes, and messages, from which on a source counts however seldom it sends. */
  largeShare: 0.01,
  largeMessages: 10,
  /**
   * Ours: messages in each part of the period it was seen in, from which on an unsigned sender seen in two or three
   * sends in bursts.
   */
  burstMessages: 5,
  /**
   * Ours: share of the owner's mail of one source that passes by SPF alone. RFC 9989 section 7.4: p=reject must not rely on
   * SPF alone. About one message in a hundred is forwarded, which breaks SPF: a tenth of the mail makes up maxLostShare. Up to
   * relyingShare it is allowed where reports show so little forwarding that maxLostShare holds.
   */
  maxSpfOnlyShare: 0.1,
  relyingShare: 0.5,
  /** Ours: parts of the period (ten) in which a sender failed, and in which it passed after that, to be taken for set right. */
  minFailedParts: 3,
  minPassedParts: 3,
  /** RFC 9989 section 7.4: p=none for at least a month, then quarantine as long, before reject. */
  minStageDays: 28,
  /** Ours: days of a step with t=y, which receivers of RFC 7489 take for the whole. */
  minTestingDays: 7,
} as const;
