-- A state file as it was before previews were kept: schema 1, with something in most of its tables.
PRAGMA application_id = 1095321426;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE deliveries (id TEXT PRIMARY KEY, at TEXT NOT NULL);
INSERT INTO "deliveries" VALUES('72d3162e-cc78','2026-11-20T12:00:00+00:00');
CREATE TABLE digest_key (one INTEGER PRIMARY KEY CHECK (one = 1), value BLOB NOT NULL);
CREATE TABLE leases (
  environment TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL,
  expires_at TEXT NOT NULL);
INSERT INTO "leases" VALUES('prod','',1,'0001-01-01T00:00:00+00:00');
CREATE TABLE messages (
  place INTEGER PRIMARY KEY, queue TEXT NOT NULL, sent_at REAL NOT NULL, visible_at REAL NOT NULL,
  taken INTEGER NOT NULL, receipt TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE outcomes (
  place INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs (id), step_id TEXT NOT NULL,
  saved_at TEXT NOT NULL, outcome TEXT NOT NULL);
INSERT INTO "outcomes" VALUES(1,'r1','update:1','2026-11-20T12:00:00+00:00','{"state":"done","detail":"read back as declared","started_at":"2026-11-20T12:00:00","ended_at":"2026-11-20T12:00:05","request_id":"q-1"}');
CREATE TABLE owned (
  environment TEXT NOT NULL, arm_id TEXT NOT NULL, owned TEXT NOT NULL,
  PRIMARY KEY (environment, arm_id)) WITHOUT ROWID;
INSERT INTO "owned" VALUES('prod','/subscriptions/s/resourcegroups/rg/providers/microsoft.cognitiveservices/accounts/contoso-ai/deployments/chat','{"key":{"kind":"ModelDeployment","path":["contoso-ai","chat"]},"arm_id":"/subscriptions/s/resourceGroups/RG/providers/Microsoft.CognitiveServices/accounts/contoso-ai/deployments/chat","api_version":"2025-06-01","applied":{"sku":{"name":"GlobalStandard","capacity":5},"auth":{"$secret":{"name":"token","vault":"/subscriptions/s/vaults/kv"}}},"secrets":{"auth":"0f"},"needs":[{"kind":"Account","path":["contoso-ai"]},{"kind":"ResourceGroup","path":["rg"]}],"deletion":"retain","protect":true}');
CREATE TABLE runs (
  id TEXT PRIMARY KEY, environment TEXT NOT NULL, mode TEXT NOT NULL, created_at TEXT NOT NULL,
  state TEXT NOT NULL, header TEXT NOT NULL, run TEXT NOT NULL);
INSERT INTO "runs" VALUES('r1','prod','apply','2026-11-20','running','{"id":"r1","environment":"prod","mode":"apply","commit":"3f2c1ab","digest":"7ea19c58","summary":{"create":0,"update":1,"replace":0,"delete":0,"unchanged":3,"unmanaged":1},"requested_by":"somebody","created_at":"2026-11-20","ended_at":"","state":"running","detail":""}','{"id":"r1","plan":{"environment":"prod","commit":"3f2c1ab","changes":[{"action":"update","key":{"kind":"ModelDeployment","path":["contoso-ai","chat"]},"arm_id":"/subscriptions/s/resourceGroups/RG/providers/Microsoft.CognitiveServices/accounts/contoso-ai/deployments/chat","fields":[{"path":["sku","capacity"],"before":5,"after":10},{"path":["auth"],"before":{"$":"absent"},"after":{"$secret":{"name":"token","vault":"/subscriptions/s/vaults/kv"}}},{"path":["principals",0],"before":{"$":"absent"},"after":{"$ref":"Account/contoso-ai","path":"identity.principalId"},"replaces":true}],"reason":"because","source":"specs/chat.yaml:1"}],"steps":[{"id":"update:1","verb":"put","key":{"kind":"ModelDeployment","path":["contoso-ai","chat"]},"arm_id":"/subscriptions/s/resourceGroups/RG/providers/Microsoft.CognitiveServices/accounts/contoso-ai/deployments/chat","api_version":"2025-06-01","body":{"sku":{"capacity":5},"auth":{"$secret":{"name":"token","vault":"/subscriptions/s/vaults/kv"}},"principals":[{"$ref":"Account/contoso-ai","path":"identity.principalId"},{"$":"unknown"}],"none":null},"after":["create:0","create:9"],"lock":"/a","seen":"","compare":["auth","sku"]}],"checks":[{"level":"warning","rule":"model.retires","message":"soon","source":"specs/chat.yaml:9","key":{"kind":"ModelDeployment","path":["contoso-ai","chat"]}}],"unchanged":3,"unmanaged":[{"kind":"ModelDeployment","path":["contoso-ai","tmp"]}],"adopted":[{"kind":"Account","path":["contoso-ai"]}],"resources":[{"key":{"kind":"ModelDeployment","path":["contoso-ai","chat"]},"arm_id":"/subscriptions/s/resourceGroups/RG/providers/Microsoft.CognitiveServices/accounts/contoso-ai/deployments/chat","api_version":"2025-06-01","properties":{"sku":{"capacity":5},"auth":{"$secret":{"name":"token","vault":"/subscriptions/s/vaults/kv"}},"principals":[{"$ref":"Account/contoso-ai","path":"identity.principalId"},{"$":"unknown"}],"none":null},"needs":[{"kind":"Account","path":["contoso-ai"]}],"source":"specs/chat.yaml:1","lifecycle":{"deletion":"delete","ignore":[["sku","capacity"],["tags",0]]},"verify":{"request":{"messages":[{"role":"user"}]},"path":"choices[0]"}}],"reads":14},"requested_by":"somebody","created_at":"2026-11-20"}');
INSERT INTO "runs" VALUES('r2','prod','apply','2026-11-21','queued','{"id":"r2","environment":"prod","mode":"apply","commit":"3f2c1ab","digest":"4f53cda1","summary":{"create":0,"update":0,"replace":0,"delete":0,"unchanged":0,"unmanaged":0},"requested_by":"somebody","created_at":"2026-11-21","ended_at":"","state":"queued","detail":""}','{"id":"r2","plan":{"environment":"prod","commit":"3f2c1ab"},"requested_by":"somebody","created_at":"2026-11-21","state":"queued"}');
CREATE TABLE statuses (environment TEXT PRIMARY KEY, status TEXT NOT NULL);
INSERT INTO "statuses" VALUES('prod','{"environment":"prod","applied_commit":"3f2c1ab","failures":2}');
CREATE INDEX runs_newest ON runs (environment, created_at, id);
CREATE INDEX outcomes_of_run ON outcomes (run_id, place);
CREATE TRIGGER journal_is_kept BEFORE UPDATE ON outcomes
  BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END;
CREATE INDEX messages_next ON messages (queue, visible_at, place);
COMMIT;
