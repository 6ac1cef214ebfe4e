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
   * Ours: ingest holds such a mail and what is decoded of it, about five times its size at most; an isolate has 128 MB. A
   * larger mail is stored whole, and read by process as it streams.
   */
  maxParsedMessageBytes: 4 * MIB,
  /** Ours: candidate report parts taken out of one mail; sendBatch takes 100 messages. */
  maxPartsPerMessage: 50,
  /** Ours: headers in one mail: its own, and those of parts, multiparts and mails in it. Newsletters have up to a hundred. */
  maxHeaders: 1000,
  /** Ours: multipart nesting, also the depth of mails in mails. */
  maxMimeDepth: 20,
  /** Ours: how often the bytes of a mail may be parsed as mails within it; a forwarded forward needs three. */
  maxParsedLevels: 4,
  /** Ours: a picture in a letter; a larger one is reported, so that a person can see that it is not a report. */
  maxPictureBytes: MIB,
  /** Ours: header bytes of one part. */
  maxHeaderBytes: 2 * MIB,
} as const;

/** How a mail is looked at that may be authentic: what its receiver said of it, and its DKIM signatures. */
export const AUTHENTICATION_LIMITS = {
  /** Ours: bytes of a header looked through for Authentication-Results; those of Email Routing end within the first 6 KiB. */
  maxResultsBytes: 64 * KIB,
  /** Ours: methods kept of one Authentication-Results field; Email Routing writes one a signature and four more. */
  maxMethods: 10,
  /** Ours: signatures verified of one mail, from the top (RFC 6376 section 6.1 lets verifiers bound them). */
  maxSignatures: 5,
  /** Ours: header bytes of a mail whose signatures are verified. */
  maxHeaderBytes: 256 * KIB,
  /** Ours: bytes of such a mail: it is in memory twice for a moment, and an isolate has 128 MB. */
  maxSignedBytes: 8 * MIB,
  /** Ours: fields that one signature covers; real ones name up to 40, each name twice. */
  maxSignedFields: 200,
  /** RFC 8301 section 3.2: a shorter RSA key proves nothing. */
  minRsaBits: 1024,
} as const;

/** Ours: questions to the DNS. */
export const DNS_LIMITS = {
  /** A later answer is ignored. */
  timeoutMilliseconds: 2000,
  /** Questions of one batch of the queue; each signature asks one, and the same one is asked once. */
  maxLookupsPerBatch: 100,
  /** RFC 1035: a message over TCP has a length of two bytes. */
  maxAnswerBytes: 65_535,
} as const;

/** Containers and documents as the report reader accepts them. */
export const READ_LIMITS = {
  /** Ours: decompressed bytes taken from one object. A real report of a million records is 592 MB of XML. */
  maxOutputBytes: 1000 * MIB,
  /**
   * Ours: bytes that one received byte may unfold to, over all levels. Of 666 real files the highest is 8, of generated
   * reports 43 (5,000 records that differ in a name), of records equal but for a counted address 110; deflate can do 1,032,
   * and twice packed a million.
   */
  maxOutputRatio: 150,
  /** Ours: bytes that any mail may unfold to, whatever the ratio: a small report of equal records packs very well. */
  freeOutputBytes: MIB,
  /** Ours: bytes received for a record, at least. Real reports have 17 or more, ones equal but for a counted address 3.4. */
  leastBytesPerRecord: 2,
  /** Ours: records that any mail may hold, however small: a million of them took 1.1 KB. */
  freeRecords: 4000,
  /** Ours: documents (reports and others) in one object. Real archives hold 1 to 20. */
  maxDocuments: 1000,
  /** Ours: bytes received for a document, at least; an entry of a zip takes 120 for its names and sizes alone. */
  leastBytesPerDocument: 100,
  /** Ours: documents that any mail may hold, however small. */
  freeDocuments: 50,
  /** Ours: characters of one object that no shape has read, at up to 60 ns each. Of a real report: the first few records. */
  maxGeneralChars: 128 * MIB,
  /** Ours: counted to them for each record, which takes some 10 µs however short it is. */
  generalRecordChars: 256,
  /** Ours: characters of one object that only the XML parser can read, or that are repaired, at up to 300 ns each. */
  maxParserChars: 16 * MIB,
  /** Ours: characters of the reports of one object without their records; a real one has 500 to 2,000. */
  maxReportChars: 8 * MIB,
  /** Ours: entries in one archive. Real archives hold 1 to 20. */
  maxArchiveEntries: 1000,
  /** Ours: archive in archive. `.gz.gz`, a gzip inside a zip and a zip inside a gzip are real; more is an attack. */
  maxArchiveDepth: 2,
  /** Ours: records in one object; the largest real one known has about a million. Of TLS reports: policies and failure details. */
  maxRecords: 1_048_576,
  /** Ours: records of one report that cannot be used; a report that has more of them is no report. */
  maxSkippedRecords: 1000,
  /** Ours: messages of one record, and sessions of one count in a TLS report: a mail server sees no more in a day. */
  maxCount: 1_000_000_000,
  /** Ours: the same for `dmarc parse`, which shows a person what the pipeline leaves out, with a warning. */
  maxShownCount: 10_000_000_000,
  /** RFC 9990 section 3.1.3 takes 100 DKIM results; as many SPF results and override reasons are kept of a record. */
  maxResultsPerRecord: 100,
  /** Ours: elements, comments and instructions in one record; 100 each of DKIM results, SPF results and reasons have 1,200. */
  maxRecordElements: 2000,
  /** Ours: one `<record>` element as text; real ones have up to 100 DKIM results (RFC 9990 section 3.1.3). */
  maxRecordChars: 256 * KIB,
  /** Ours: everything of a report that is not a record: metadata, policy, extensions, comments. */
  maxFrameChars: MIB,
  /** Ours: white space or zero bytes in a row. Pretty-printed reports have a few hundred. */
  maxPaddingChars: MIB,
  /** Ours: open XML elements. Real reports nest seven deep. */
  maxXmlDepth: 64,
  /** Ours: elements of one document that are not records, and end tags without a start, against a million empty ones. */
  maxXmlElements: 20_000,
  /** Ours: characters kept of one value; the longest real value seen has about 1,000. */
  maxValueChars: 8192,
  /** Ours: values in a JSON document; each takes up to a hundred bytes once parsed. A failure detail has ten. */
  maxJsonValues: 300_000,
  /** Ours: what must be held whole: JSON, a zip inside a mail or a gzip. A mail of 25 MiB holds at most 18 MiB of base64. */
  maxHeldBytes: 20 * MIB,
  /** Ours: error elements kept of a report's metadata. */
  maxReportErrors: 20,
  /** Ours: bytes of a JSON document, which becomes several times as much in memory; real TLS reports have a few KiB. */
  maxJsonBytes: 8 * MIB,
  /** Ours: how long after a mail came a period it reports on may end, for clocks and time zones: two days. */
  maxFutureSeconds: 2 * 86_400,
  /** Ours: the longest period of a report. Daily ones are the rule; weekly and monthly ones exist. */
  maxPeriodSeconds: 35 * 86_400,
  /**
   * Ours: the longest period that belongs to one day, for time zones and for days of 25 hours; a longer one is spread
   * over its days.
   */
  maxDayPeriodSeconds: 36 * 3600,
  /** Ours: warnings kept with a report; the rest are counted. */
  maxWarnings: 100,
  /** Ours: XML up to this size is read at once and not as a stream, where its file is in memory. Most have 2 to 20 KiB. */
  maxSmallDocumentBytes: 256 * KIB,
  /** Ours: bytes handed to the inflater at once. */
  inflateInputBytes: 16 * KIB,
  /** Ours: bytes of output handed on at once; smaller pieces make the platform's inflater up to three times slower. */
  inflateOutputBytes: 128 * KIB,
} as const;

/** Cloudflare Workers: one invocation on the paid plan (developers.cloudflare.com/workers/platform/limits). */
export const WORKER_LIMITS = {
  /** Calls of bindings and fetches together; 50 fetches and 1,000 calls on the free plan. */
  maxSubrequests: 10_000,
  /** KV's own: its operations of one invocation (developers.cloudflare.com/kv/platform/limits). */
  maxKvOperations: 1000,
  /** CPU of a run of cron that comes more often than once an hour, whatever `[limits]` says; others have 15 minutes. */
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
  /** One statement of the SQL API, as the live service says of a longer one; whether it counts bytes or characters it does not. */
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
  /** Counted to a message besides its body. */
  metadataBytes: 100,
  /** 24 hours; older copies of the page say 12. */
  maxDelaySeconds: 86_400,
  /** How long a message may wait on the paid plan. */
  maxRetentionSeconds: 1_209_600,
  /** Ours: points in one message of `dmarc-points`, so that it and its events fit one invocation. */
  maxPointsPerSlice: 240,
  /** Ours: body of one slice as JSON, with room for the envelope. */
  maxSliceBytes: 120_000,
  /** Every operation is billed once for each of these (…/queues/platform/pricing). */
  billedBytes: 64_000,
  /** Ours: a raw object that its message carries. In base64, with metadata of 8 KB and a long key, it stays below `billedBytes`. */
  maxCarriedBytes: 32 * KIB,
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

/** What `dmarc import` sends, and what the API takes of it. */
export const IMPORT_LIMITS = {
  /** Ours: files of one call; each is a put in R2, and an invocation on the free plan has 50 queries to D1 besides. */
  filesPerCall: 40,
  /** Ours: bytes of a file that shares a call with others; a larger one is streamed alone. */
  maxSharedFileBytes: 256 * KIB,
  /** Ours: bytes of the files of one call, together. */
  maxCallBytes: MIB,
  /** Ours: body of such a call: the files in base64 and what is said about each. */
  maxCallBodyBytes: 2 * MIB,
  /** Cloudflare: a request has 100 MB at most on the Free and Pro plans. Ours: a little less. */
  maxFileBytes: 90 * MIB,
  /** Ours: characters of a file name, and of where a file was found. */
  maxNameChars: 255,
  maxOriginChars: 500,
  /** Ours: files asked about in one call, whether they were imported. */
  askedPerCall: 500,
} as const;

/**
 * What differs where Workers run on the free plan: 10 ms of CPU and 50 queries to D1 an invocation
 * (developers.cloudflare.com/workers/platform/limits, …/d1/platform/limits, …/queues/platform/pricing).
 */
export const FREE_PLAN_LIMITS = {
  cpuMilliseconds: 10,
  maxQueriesPerInvocation: 50,
  /** How long a message waits in a queue, whatever is asked for. */
  retentionSeconds: 86_400,
  /** Ours: messages of a batch, so that one invocation reads one report. */
  maxBatchSize: 1,
  /** Ours: invocations of a consumer at once. */
  maxConcurrency: 2,
  /** Ours: a larger file is not read, for it may take more than 10 ms. Some 60 records, compressed. */
  maxReportBytes: 2500,
  /** Ours: of the 50 subrequests of an invocation; the others are for a policy file and what is stored. */
  dnsQuestions: 30,
  /** Ours: queries of the round over all domains in one run. */
  watchQueries: 24,
} as const;

/** Cloudflare's own API, as `npm run deploy` asks it (developers.cloudflare.com/fundamentals/api/reference/limits). */
export const CLOUDFLARE_API_LIMITS = {
  /** Requests of a user or token in five minutes; then everything is refused for five minutes. Ours: some are left to wrangler. */
  requestsPerWindow: 1000,
  windowMilliseconds: 300_000,
  /** Ours: how often a request is sent that is answered with 429, and how long it waits where nothing says how long. */
  maxAttempts: 4,
  defaultRetryMilliseconds: 5000,
  /** Ours: items on a page of a listing; 50 is the most that all of the listings take. */
  perPage: 50,
} as const;

/** Ours: retry delays, exponential from RETRY_BASE_SECONDS of the TOML, clamped (Queues: at most 86,400 s). */
export const RETRY_LIMITS = {
  maxDelaySeconds: 6 * 3600,
  /** What waits for the next day, since D1 has used up this one's rows, comes within so many seconds of its beginning. */
  nextDaySpreadSeconds: 900,
} as const;

/** Ours: how a batch of messages is processed. */
export const BATCH_LIMITS = {
  /** Messages of a batch in work at once; an invocation has six connections. */
  maxConcurrentMessages: 5,
  /** A larger raw object is read in a separate invocation, so that it takes no CPU time and memory from others. */
  maxSharedObjectBytes: 512 * KIB,
  /** From this delivery on a message is tried alone: whatever ended the invocation, it or a neighbour, comes to light. */
  aloneFromAttempt: 3,
} as const;

/**
 * Ours: what is kept of mail to addresses that are not registered. At most 20,000 rows are written a day and 101 kept of
 * it, however large a flood.
 */
export const REFUSED_MAIL_LIMITS = {
  /** Addresses kept of a day; mail to further ones is counted together. */
  addressesPerDay: 100,
  /** Mails counted of one address and day: there may have been more. */
  mailsPerAddress: 100,
  /** Mails counted of all further addresses of a day. */
  otherMailsPerDay: 10_000,
  /** Characters kept of an address (RFC 5321 allows 254). */
  maxAddressChars: 254,
  /** Addresses shown on a page or in one answer. */
  addressesShown: 500,
  keptDays: 31,
} as const;

/** Ours: what runs by itself once a day (process: scheduled()). */
export const UPKEEP_LIMITS = {
  /** Days looked through for unfinished objects, besides those that had some when they were last counted. */
  reconciledDays: 7,
  /** What arrived less long ago may still be on its way through queues and retries. */
  graceSeconds: 12 * 3600,
  /** Last errors of messages are kept so long. */
  keptFaultSeconds: 30 * 86_400,
  /** Jobs that have ended are kept so long. */
  keptJobSeconds: 90 * 86_400,
  /** Figures of a day are merged when no more reports about it are to be expected. */
  mergedAfterDays: 4,
  /** Days with fewer reports gain nothing by it. */
  mergedReports: 5,
  /**
   * Days of domains merged, and made final, by one run in each database: 10,000 domains bring as many a day of each. They
   * share the 1,000 queries of an invocation: 60 transactions of two queries, and 60 of four.
   */
  daysPerRun: 15_000,
  /** Days of domains in one transaction, */
  daysAtOnce: 250,
  /** and records of the reports merged in it. */
  mergedRecordsAtOnce: 50_000,
  /** Batches of rows removed by one run, of each kind: each is one query. */
  stepsPerRun: 60,
  /** Rows removed at once: reports that no longer count, and objects. */
  rowsPerStep: 2000,
  /** Chunks of figures that no report came to own, removed at once; each may have 400,000 characters. */
  chunksPerStep: 10,
  /** Copies of the registry that are due, made by one run: each is one write of KV. */
  copiesPerRun: 500,
  /** The same by the hourly run, for those that KV did not take at once; with the daily ones fewer than the free plan's 1,000. */
  copiesPerHour: 20,
  /** Mail may come this long before the end of what it reports on, and after it. */
  objectGraceDays: 45,
} as const;

/**
 * Ours: forgetting an account, a page a message; a page stays below the 50 queries and 50 calls of an invocation that the
 * free plan has.
 */
export const FORGET_LIMITS = {
  /** Addresses closed by one page: each is one deletion in KV. */
  addressesPerPage: 40,
  /** Rows removed by one statement, */
  rowsPerStatement: 1000,
  /** rows looked at by one statement where no index leads to the account's, */
  rowsScanned: 20_000,
  /** and statements of one page. */
  statementsPerPage: 20,
  /** Names of addresses, and of domains, that rows are compared with at once. */
  namesAtOnce: 4000,
  /**
   * After this long a consumer that was at work when the addresses were closed has ended (15 minutes), and no copy of KV is
   * read any more (a minute): everything is looked through once more.
   */
  settleSeconds: 20 * 60,
  /** Hashes of forgotten addresses are kept so long: messages live for 14 days at most, and retries of them. */
  keptSeconds: 30 * 86_400,
  /** Rows of a table in one answer of an export, */
  exportedRows: 200,
  /** and characters of them, beyond the last row. */
  exportedChars: 4 * MIB,
} as const;

/** Ours: what the dashboard does at once and shows at once. */
export const DASHBOARD_LIMITS = {
  /** Requests for data in one isolate at once; a page asks up to five statements and holds up to 10 MB. */
  maxRequests: 12,
  /** After this long a request counts as gone, whatever became of it. */
  maxSeconds: 60,
  /** Characters shown of one text of a stranger; files have it whole. */
  maxTextChars: 1000,
  /** Characters shown of one name, address or id; a domain has at most 253. */
  maxNameChars: 300,
  /** Characters shown of a queue message as JSON; a queue takes no more than 128 KB. */
  maxJsonChars: 20_000,
  /** Reporters to choose from on the page of reports. */
  maxReporters: 200,
  /** Rows of a file of a table that the database sorts: twice the domains of a large provider. */
  maxExportRows: 20_000,
  /** Items shown of a list within a table's cell: DKIM results of a record, lines of a policy. */
  maxListed: 20,
  /** Items of such a list that unfold below them; files have the rest. */
  maxUnfolded: 100,
  /** Ours: changes of records, and decisions, that a domain's timeline shows of a period, the newest. */
  maxTimelineEvents: 100,
  /** How long a page waits for Analytics Engine, of which it shows no more than a trend. */
  engineTimeoutMs: 3000,
  /** When to try again, sent with a refusal. */
  retryAfterSeconds: 2,
} as const;

/** Ours: requests to the API; at once it answers as many as the dashboard does (DASHBOARD_LIMITS). */
export const API_LIMITS = {
  /** Bytes of a body: a statement, a registry entry or a list of 500 domains is far smaller. */
  maxBodyBytes: 256 * KIB,
} as const;

/** Ours: tokens of programs that ask the API. */
export const TOKEN_LIMITS = {
  /** Random bytes of a secret: nobody guesses 256 bits. */
  secretBytes: 32,
  /** Tokens of one account, or of the operator, that are not revoked. */
  perAccount: 50,
  /** Characters of a name. */
  nameChars: 64,
  /** Days until a token expires, at most; a token may also never expire. */
  maxDays: 3650,
  /** How often it is noted that a token was used: a write of the ledger each time. */
  usedSeconds: 3600,
  /** How long a revoked or expired token stays in the list: 90 days. */
  keptSeconds: 90 * 86_400,
} as const;

/** Ours: the local Analytics Engine's statements; as many as the dashboard asks at once find room. */
export const LOCAL_ENGINE_LIMITS = {
  maxRunning: 4,
  maxWaiting: 60,
  retryAfterSeconds: 2,
} as const;

/** Ours: pages of jobs and of operations on dead letters. */
export const PAGE_LIMITS = {
  /** Keys looked at by one message of a job. */
  jobKeys: 1000,
  /** Copies of the registry read in one call, each by a call of KV: fewer than the 50 of the free plan. */
  copiesRestored: 40,
  /** Calls of R2 by one message of a reconcile job; a day without mail takes one. */
  jobListings: 40,
  /** Reports whose slices have been due for too long, sent again in one go. */
  dueSlices: 500,
  /** The newest jobs, whose progress is shown. */
  jobsFollowed: 10,
  /** Dead letters or conflicts listed, requeued or discarded in one call. */
  deadLetters: 100,
  /** Conflicts of a reporter and domain decided in one call: an event each, and 250 points an invocation. */
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
  /** Policies, their lines and failure details of one TLS report handed to its page; real reports have a few dozen. */
  reportItems: 5000,
  /** Characters of these together. */
  reportChars: 2 * MIB,
} as const;

/** Forwarding of accepted reports to an account's targets. */
export const FORWARD_LIMITS = {
  /** Ours: targets of one account, and of all accounts together. */
  targetsPerAccount: 10,
  /** Ours: records of one part of a report: about 500 KB of JSON; Splunk Cloud advises 1 MB a request at most. */
  recordsPerPart: 1000,
  /** Ours: characters of events put together into one request to Splunk. */
  batchChars: 800_000,
  /** Ours: reports looked up at a time, and the most events of reports in one request to Splunk. */
  reportsAtOnce: 100,
  /** Ours: requests made by one message; Cloudflare's free plan allows 50 an invocation, and queries of D1 count as well. */
  requestsPerRun: 20,
  /**
   * Ours: a message has so long for all its requests, the last one's answer included: it holds one of five places of
   * `dmarc-points`.
   */
  runMilliseconds: 10_000,
  /** Ours: a message begins no further request after this, so that each may take the rest of its time. */
  beginMilliseconds: 5000,
  /** Ours: a sending that has not ended by then was interrupted. */
  claimSeconds: 180,
  /** Ours: delay after the first failed attempt; doubles with each, unless the target names another. */
  firstRetrySeconds: 30,
  /** Ours: the longest delay. */
  maxRetrySeconds: 3600,
  /** Ours: a target may be down for a week before what waits for it counts as failed. */
  giveUpSeconds: 7 * 86_400,
  /** Ours: rows of the page's list of reports that were not taken; its files have as many. */
  unsentShown: 500,
  /** Ours: failed reports are kept so long, for "retry". */
  keptSeconds: 90 * 86_400,
  /** Ours: characters kept of what a target answered. */
  resultChars: 300,
} as const;

/** Answers of the tools for assistants, which read all of them. */
export const MCP_LIMITS = {
  /** Ours: entries of each list of an answer, the first ones; half as many, and again, until the answer is small enough. */
  itemsPerList: 100,
  /** Ours: characters of one text; a key of DKIM has 750, a record to publish fewer than 500. */
  textChars: 2000,
  /** Ours: characters of an answer as JSON, some 30,000 words of a language model. */
  answerChars: 100_000,
} as const;

/** Exports of records. */
export const EXPORT_LIMITS = {
  /** Ours: reports of one call: each is a call of R2, and Cloudflare allows 1,000 an invocation. */
  reportsPerPage: 400,
  /** Ours: a call ends after the report that reaches so many records; the largest report has a million. */
  recordsPerPage: 50_000,
  /** Ours: accounts looked at by one call, two queries each: D1 allows 1,000 an invocation. */
  accountsPerPage: 200,
  /** Ours: records of a report held back until it has been read to its end, so that one that cannot be read leaves none. */
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
  /** Room made for slices of a report at a time, one row of the ledger each time. */
  reservedSlices: 1000,
  /** Points that count nothing made at a time. */
  stalePointsAtOnce: 10_000,
  /** Records of a report handed to its page in one call. */
  maxRecordsPerCall: 1000,
  /** Values by which records may be skipped and ordered on a page; beyond, they come in the order of the report. */
  maxOrderedRecords: 20_000,
  /** Characters of values in those records; ordinary ones have some 100 each, hostile ones 250,000. */
  maxHeldRecordChars: 2 * MIB,
  /** Dead letters that one object may become; beyond, it becomes one, with counts by reason. */
  maxDeadLettersPerObject: 20,
  /** Different records of two versions of a report that are compared; of larger reports the first ones. */
  maxComparedRecords: 20_000,
  /** Differences of two versions that are shown, the largest first, */
  maxDifferences: 100,
  /** and characters of what each is about. */
  maxDifferenceChars: 400,
  /** Conflicts of one object that are filed one by one; the others wait as one dead letter with their count. */
  maxConflictsPerObject: 20,
  /** Objects noted with a report that brought it too, to be read again when it stops counting. */
  maxOtherObjects: 20,
  /**
   * Until then: the invocation that stops counting it has ended, at 15 minutes of wall time
   * (developers.cloudflare.com/workers/platform/limits), and has written that or never will.
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
  /** Arguments of one SQL function. workerd, which runs D1 on one machine, takes 127. */
  maxFunctionArguments: 32,
  /** A LIKE or GLOB pattern. */
  maxPatternBytes: 50,
  /** Terms of one UNION, and levels of one expression: on no page, but what workerd sets up SQLite with (tried). */
  maxCompoundTerms: 5,
  maxExpressionDepth: 100,
  /** Queries an invocation may make on the paid plan; 50 on the free one. */
  maxQueriesPerInvocation: 1000,
  /** Ours: characters of one JSON parameter that carries rows; a character is at most three bytes of UTF-8. */
  maxParameterChars: 600_000,
  /** Ours: addresses in one JSON parameter; one has at most 400 bytes. */
  maxAddressesAsked: 2000,
} as const;

/** Ours: figures of a report as the ledger packs them (shared/ledger/figures.ts). */
export const FIGURE_LIMITS = {
  /** One JSON object of figures; a report with more has several. */
  maxChunkChars: 400_000,
  /** Figures kept in the row of the report itself. An ordinary report has a thousand characters. */
  maxInlineChars: 60_000,
  /** DKIM or SPF results of one record told apart, passing ones first; real records have one or two. */
  maxResults: 10,
  maxReasons: 4,
  /** Characters of a domain name, an address or another label: DNS allows 253. */
  maxTextChars: 255,
  maxSelectorChars: 100,
  /** Characters of a reason's comment. */
  maxCommentChars: 120,
} as const;

/** Checks of a domain's published records. */
export const GUIDANCE_LIMITS = {
  /** Ours: questions to DNS of one check. SPF's ten lookups with ten hosts of an mx each need 200 at most. */
  maxQuestionsPerCheck: 200,
  /** Ours: records of one answer kept as evidence. */
  maxShownRecords: 20,
  /** Ours: characters of such a record. */
  maxShownRecordChars: 2000,
  /** RFC 7208 section 4.6.4: terms that ask DNS, over the whole of a record's includes. */
  maxSpfLookups: 10,
  /** Ours: from here on a warning says that the limit is near. */
  warnSpfLookups: 8,
  /** Ours: lookups after which counting ends: a record that needs so many is broken anyway. */
  maxCountedSpfLookups: 40,
  /** Ours: terms that are proposed for one source; one with more addresses asks for an include. */
  maxAddedSpfTerms: 6,
  /** Ours: how long a page waits for DNS before it says unknown: it has to answer within 1.5 seconds. */
  pageDnsMilliseconds: 800,
  /** Ours: addresses of one source that its SPF advice is about, those with the most messages. */
  maxSpfSources: 50,
  /** Ours: return paths of one source that are shown with them. */
  maxReturnPaths: 20,
  /** RFC 7208 section 4.6.4: lookups without an answer. */
  maxVoidSpfLookups: 2,
  /** RFC 7208 section 4.6.4: hosts of one mx term. */
  maxSpfMxHosts: 10,
  /** RFC 7208 section 3.4: octets of a record that fit a DNS answer over UDP. */
  maxSpfOctets: 450,
  /** Ours: DKIM selectors looked up of one domain, those last seen first. */
  maxSelectors: 20,
  /** RFC 8461 section 3.3: bytes of an MTA-STS policy file. */
  maxPolicyFileBytes: 64 * KIB,
  /** Ours: RFC 8461 section 3.3 suggests a minute; a person waits for the answer. */
  policyFileTimeoutMilliseconds: 5000,
  /** Ours: seconds that senders remember a policy served here, at least; below a day an attacker has only to wait. */
  minMtaStsSeconds: 86_400,
  /** RFC 8461 section 3.2: the most, about a year. */
  maxMtaStsSeconds: 31_557_600,
  /** Ours: mail hosts or patterns in a policy served here. */
  maxMtaStsPatterns: 30,
  /** Ours: days of mode testing with TLS reports and no failure, before enforce is advised. */
  mtaStsTestingDays: 14,
  /** Ours: days of these with reports about sessions under the policy; large senders report every day. */
  mtaStsReportDays: 7,
  /** Ours: days for which failures of an enforced policy are shown. */
  mtaStsFailureDays: 7,
  /** Ours: changes of a policy that are shown. */
  maxShownPolicyChanges: 20,
  /** Ours: hosts of a domain's MX records that are looked at. */
  maxMxHosts: 10,
  /** Ours: questions to DNS about one domain, all checks together; a Worker's invocation has 10,000 subrequests. */
  maxQuestionsPerDomain: 300,
  /** Ours: questions that a check of an ordinary domain asks. */
  questionsOfDomain: 30,
  /**
   * Ours: domains checked by one run of cron, that is 4,800 a day: at 30 questions each 6,000 of an invocation's 10,000
   * subrequests.
   */
  checksPerRun: 200,
  /** Ours: a person who asks again within so many seconds is given the same check. */
  checkedNowSeconds: 20,
  /** Ours: a check younger than this is not made again by itself. */
  checkAgainSeconds: 20 * 3600,
  /** Ours: days within which a report about a domain makes it one that is checked. */
  reportedDays: 30,
  /** Ours: days within which reports name a DKIM selector, for its key to be looked at. */
  selectorDays: 30,
  /** Ours: reverse names of one address that are tried. */
  maxReverseNames: 3,
  /** Ours: addresses looked up for one page; each asks four questions or five. */
  namedAtOnce: 50,
  /** Ours: addresses of one page that are named, those with the most messages. */
  maxNamedAddresses: 500,
  /** Ours: addresses of one domain whose names its verdict looks at. */
  maxNamedOfVerdict: 200,
  /** Ours: addresses that the owner's own mail comes from whose networks count, those with the most messages. */
  maxHomeAddresses: 10,
  /** Ours: of them, those looked up with a daily check; each asks four questions or five. */
  namedPerCheck: 20,
  /** Ours: of the questions of a run of checks, the part that may be asked for names beside it: 2,000 of 6,000. */
  nameQuestionsPart: 1 / 3,
  /** Ours: questions about names without which none are asked: those of one check. The free plan's 30 are for the checks. */
  questionsForNames: 100,
  /** Ours: addresses looked up side by side. */
  lookupsSideBySide: 6,
  /** Ours: names of addresses are kept a month. */
  keptNameSeconds: 30 * 86_400,
  /** Ours: changes of records shown of one domain. */
  maxShownChanges: 50,
} as const;

/** Ours: what the round over all domains does at once (process: scheduled()). */
export const WATCH_LIMITS = {
  /** Days a stored verdict looks back on: as the pages do unless told otherwise. */
  verdictDays: 30,
  /** A new round over the domains begins no sooner after the one before. */
  secondsBetweenRounds: 15 * 60,
  /** Domains looked at by one statement for whether anything about them changed, */
  domainsAtOnce: 200,
  /** and those whose facts come with one statement. */
  factsAtOnce: 20,
  /** Runs that may fail at one domain before the round continues without it. */
  maxAttempts: 3,
  /** Days that rules know a domain's mail by: five weeks, so that a weekday has four before it. */
  historyDays: 35,
  /** Days in which a reporter is looked for: what is usual, and a silence after it. */
  reporterDays: 45,
  /** Newest days for which reasons of failed TLS sessions are shown. */
  tlsReasonDays: 4,
  /** The largest sources of a domain, whose days are kept separately; the rest is combined. */
  maxSources: 300,
  /** Reporters of a domain whose days are looked at, those with the most. */
  maxReporters: 50,
  /** Changes of records that a cause is looked for in. */
  maxChanges: 50,
  /** Notices told on their own, of one domain and day; the rest waits for the digest. */
  noticesPerDomainAndDay: 1,
  /** A problem that persists is announced again after a week. */
  remindAfterSeconds: 7 * 86_400,
  /** What has not been found for so long is over: one day without it may be a day without reports. */
  resolveAfterSeconds: 36 * 3600,
  /** What comes back within this is the same incident. */
  sameIncidentSeconds: 3 * 86_400,
  /** An event that is found again within this was told already. */
  eventIsKnownSeconds: 30 * 86_400,
  /** Resolved incidents are shown for a quarter. */
  shownSeconds: 90 * 86_400,
  /** Resolved incidents and notices are kept so long. */
  keptSeconds: 400 * 86_400,
} as const;

/** The worklist: what to do next over all domains (shared/watch/work.ts). */
export const WORK_LIMITS = {
  /** Ours: things to do that are kept of one domain, those that matter most. */
  itemsPerDomain: 20,
  /** Ours: of a sender of which no more than this share fails, the rest passes: broken on the way, mostly. */
  breaksShare: 0.02,
  /** Ours: domains for which a sender that is not a known service gets its own line; the others share one. */
  sharedDomains: 3,
  /** Ours: up to this many, each gets its own line. */
  fewSenders: 10,
  /** Ours: lines shown on a page; a person reads no more. */
  linesOnPage: 50,
  /** Ours: lines in one answer. */
  lines: 500,
  /** Ours: domains that a line unfolds to; the rest is a page further. */
  domainsUnfolded: 10,
  /** Ours: domains of a line in one answer. */
  domainsListed: 1000,
} as const;

/** Ours: how much each kind of work matters, as a share of the messages a week it is about. What was refused counts twice. */
export const WORK_WEIGHTS = {
  /** Failing mail of own senders, and of undecided ones that are likely real. */
  own: 1,
  /** Of others that nobody has decided about: most of it is not the owner's. */
  undecided: 0.1,
  /** Forwarded mail, and the few messages that break on the way: there is little to do about it. */
  notMended: 0.1,
  /** Passing mail that rests on SPF alone. */
  spfOnly: 0.01,
  /** A stricter policy that is due, by own messages; */
  publish: 0.005,
  /** and of a domain that sends nothing, in messages. */
  park: 0.5,
  /** An MTA-STS policy that keeps mail away, by own messages; and in messages at least. */
  mailLost: 0.1,
  mailLostLeast: 20,
  /** The same of reports that stopped, */
  reportsStopped: 0.05,
  reportsStoppedLeast: 10,
  /** and of a record that broke, or TLS that fails. */
  broken: 0.02,
  brokenLeast: 5,
} as const;

/** Tags of domains, and groups of accounts. */
export const TAG_LIMITS = {
  /** Ours: tags of one domain: a few, so that a row of the list holds them. */
  perDomain: 10,
  /** Ours: characters of a tag, or of a group's name. */
  chars: 32,
  /** Ours: domains tagged by one call, as many as are added by one. */
  domainsAtOnce: 500,
  /** Ours: tagged domains, or tags, in one answer: twice the domains of a large provider. */
  listed: 20_000,
  /** Ours: tags, and groups, offered as filters above the list of domains. */
  offered: 30,
} as const;

/** Channels and what is delivered to them (shared/notify). */
export const NOTIFY_LIMITS = {
  /** Ours: channels of one account. */
  channelsPerAccount: 20,
  /** Ours: characters of a channel's name. */
  nameChars: 80,
  /** Ours: characters of a mail address or URL. */
  targetChars: 1000,
  /** Ours: notices of the last three days are looked through for new deliveries, so that an outage of cron loses none. */
  noticeSeconds: 3 * 86_400,
  /** Ours: deliveries enqueued by one run of cron in each database; sendBatch takes 100 messages. */
  deliveriesPerRun: 100,
  /** Ours: deliveries to one channel in one message, sent one after the other; each is six subrequests of the free plan's 50. */
  deliveriesPerMessage: 6,
  /** Ours: a link that confirms a mail address is good for a week. */
  confirmationSeconds: 7 * 86_400,
  /** Ours: a delivery whose message is lost with its queue is enqueued again after this. */
  lostMessageSeconds: 15 * 60,
  /** Ours: an attempt that has not ended by then was interrupted; it may have been sent. */
  claimSeconds: 120,
  /** Ours: how long a webhook may take to answer. */
  timeoutMilliseconds: 10_000,
  /** Ours: characters kept of what a channel answered. */
  resultChars: 300,
  /** Ours: delay after the first failed attempt; doubles with each. */
  firstRetrySeconds: 60,
  /** Ours: the longest delay. */
  maxRetrySeconds: 6 * 3600,
  /** Ours: a channel may be down for three days before a delivery counts as failed. */
  giveUpSeconds: 3 * 86_400,
  /** Ours: deliveries are listed so long after they ended. */
  keptSeconds: 90 * 86_400,
  /** Ours: deliveries shown on a page. */
  deliveriesShown: 100,
  /** Ours: local hour at which digests are due. */
  digestHour: 8,
  /** Ours: items listed under one heading of a digest; the rest is counted. */
  digestItems: 10,
  /** Ours: days in the picture of a digest. */
  digestDays: 30,
  /** Ours: domains, incidents and notices read for a digest. */
  digestDomains: 200,
  /** Slack: characters of one text of a block. */
  chatChars: 3000,
} as const;

/** Accounts and their people. */
export const ACCOUNT_LIMITS = {
  /** Ours: characters of what an account is called. */
  nameChars: 100,
  /** Ours: bytes of a logo; it goes into every digest. */
  logoBytes: 64 * KIB,
  /** Ours: people with a role in one account. */
  peoplePerAccount: 1000,
  /** Ours: accounts in one answer. */
  listed: 100,
  /**
   * Ours: lines of an import taken by one call, each asked and written in a few statements for all: a free plan's 50
   * statements do.
   */
  importedAtOnce: 500,
  /** Ours: lines of a whole import. */
  importedLines: 20_000,
  /** Ours: bytes of a file that is imported in the browser; 20,000 lines of a hundred. */
  importBytes: 2 * MIB,
} as const;

/** The audit log. */
export const AUDIT_LIMITS = {
  /** Ours: entries are kept a year and a month. */
  keptSeconds: 396 * 86_400,
  /** Ours: old entries removed by one run of the daily upkeep. */
  removedPerRun: 10_000,
  /** Ours: characters of the JSON of an input or a state; a longer one is kept up to there. */
  jsonChars: 4000,
  /** Ours: entries in one answer. */
  listed: 100,
  /** Ours: entries counted for the page numbers of a list. */
  counted: 10_000,
} as const;

/** What a printed monthly report has of each, so that it is two pages. */
export const REPORT_LIMITS = {
  /** Ours: notices, record changes and decisions read; more are counted up to this. */
  rowsRead: 200,
  /** Ours: lines of a list. */
  listed: 10,
  /** Ours: incidents that are open. */
  openListed: 4,
  /** Ours: senders of a domain. */
  senders: 20,
  /** Ours: domains of an account read, and those that are listed. */
  domainsRead: 20_000,
  domains: 30,
} as const;

/** Domains that are added, and watched until their first report. */
export const SETUP_LIMITS = {
  /** Ours: domains added by one call; their addresses travel as one parameter, their copies in KV are made later. */
  addedAtOnce: 500,
  /** Ours: domains of one account; a provider's ten thousand fit. */
  domainsOfAccount: 20_000,
  /** Ours: copies in KV made by one call that adds; further ones are made by upkeep, and ingest asks D1 until then. */
  copiedWhenAdded: 20,
  /** Ours: set-ups checked by one run of cron; each asks DNS up to a dozen times. */
  checksPerRun: 100,
  /** Ours: a set-up younger than this is not checked again by cron. */
  checkAgainSeconds: 3000,
  /** Ours: nor by a page that is open; receivers' caches are slower. */
  pageCheckSeconds: 20,
  /** Ours: an open page of a domain without a report is loaded again after so long. */
  pageRefreshSeconds: 15,
} as const;

/** What one owner may decide of one domain: a verdict reads all of it. */
export const DECISION_LIMITS = {
  /** Ours: subjects of a domain that were ever decided about; a prefix, a domain or a service holds for many senders. */
  maxSubjects: 1000,
  /** Ours: decisions kept of each, the newest: what holds, and its history. */
  maxKept: 50,
} as const;

/** When a verdict says what. docs/verdict.md has the error rate they lead to. */
export const VERDICT_LIMITS = {
  /** Ours: days of the period since reports began, so that what is sent monthly is mostly seen; two of 30 are still to be reported. */
  minSpanDays: 25,
  /** Ours: days with reports, of a domain that sends. */
  minDaysWithReports: 8,
  /** Ours: messages of the owner's senders; small domains shall have an answer too. */
  minMessages: 20,
  /** Ours: share of the owner's mail that is refused from which on real senders are being rejected: what we promise to stay under. */
  maxLostShare: 0.001,
  /** Ours: share of the owner's mail that a policy may hit; less than the above, since a period is a sample. */
  maxHitShare: 0.0008,
  /** Ours: share of the mail at receivers that send no reports; nothing public says it. */
  unreportedShare: 0.1,
  /** Ours: probability, by chance alone, that they lose so much that the promise is broken, from which on hits stand in the way. */
  maxRisk: 0.1,
  /** Ours: forwarded messages from which on a domain of so little mail that none may be lost has to wait for more. */
  maxForwardedOfFew: 5,
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
   * relyingShare it is allowed where reports show so little forwarding that maxHitShare holds.
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
