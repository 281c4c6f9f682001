// @ts-nocheck: code that ajv wrote. Made by scripts/schemas.ts; a change by hand is lost.
export const validateKernel = validate10;
const schema11 = {"$schema":"http://json-schema.org/draft-07/schema#","description":"Configuration of kvdb","type":"object","additionalProperties":false,"properties":{"$schema":{"type":"string","description":"Where an editor finds this schema"},"dir":{"type":"string","title":"a path","pattern":".","format":"path","default":".kvdb","description":"Folder of the data, relative to this file. Holds everything that kvdb keeps"},"databases":{"type":"integer","minimum":1,"maximum":1024,"default":16,"description":"Number of databases that SELECT can choose from"},"requirepass":{"type":"string","default":"","writeOnly":true,"description":"Password that AUTH asks for; empty: none"},"notify-keyspace-events":{"type":"string","title":"flags of keyspace events","pattern":"^[Ag$lshzxeKEtmdn]*$","default":"","description":"Which keyspace events are published, as Redis has it: K, E and classes, \"KEA\" all; empty: none"},"client-output-buffer-limit":{"type":"string","title":"classes with limits: \"pubsub 32mb 8mb 60\"","pattern":"^ *(([nN][oO][rR][mM][aA][lL]|[rR][eE][pP][lL][iI][cC][aA]|[sS][lL][aA][vV][eE]|[pP][uU][bB][sS][uU][bB]) +([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?) +([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?) +[0-9]{1,9}( +([nN][oO][rR][mM][aA][lL]|[rR][eE][pP][lL][iI][cC][aA]|[sS][lL][aA][vV][eE]|[pP][uU][bB][sS][uU][bB]) +([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?) +([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?) +[0-9]{1,9})*)? *$","default":"","description":"Output that may wait for a client to read, by class (normal, replica, pubsub): bytes at which it is disconnected, bytes that it may have for so many seconds; 0: no limit"},"users":{"type":"object","default":{},"description":"Users by name, with rules of ACL SETUSER. Not beside aclfile","additionalProperties":{"title":"rules, as a list or with spaces between them","type":["array","string"],"items":{"type":"string","title":"a rule","writeOnly":true},"writeOnly":true}},"aclfile":{"type":"string","title":"a path","format":"path","default":"","examples":["users.acl"],"description":"File of users, relative to this file, as ACL SAVE writes it; empty: none"},"acl-pubsub-default":{"type":"string","enum":["allchannels","resetchannels"],"default":"resetchannels","description":"Which channels a new user may use"},"acllog-max-len":{"type":"integer","minimum":0,"default":128,"description":"How many refusals ACL LOG keeps"},"enable-debug-command":{"type":"string","enum":["no","yes","local"],"default":"local","description":"Who may use DEBUG: nobody, everybody, or who is on this machine"},"replication":{"type":"object","additionalProperties":false,"default":{},"description":"The server that this one follows","properties":{"of":{"type":"string","title":"a port, \"host:port\" or \"host port\"","pattern":"^\\s*(?:|\\d+|[^\\s]+:\\d+|[^\\s]+\\s+\\d+|[nN][oO]\\s+[oO][nN][eE])\\s*$","default":"","examples":["db.example:6379"],"description":"Whom to follow: a port of this machine, or a host and a port; empty: nobody"},"user":{"type":"string","default":"","description":"As whom it is asked; empty: default"},"password":{"type":"string","default":"","writeOnly":true,"description":"Password that it is given; empty: none"}}},"memory":{"type":"object","additionalProperties":false,"default":{},"properties":{"max":{"type":["integer","string"],"title":"bytes, or a size like \"100mb\" or \"2gb\"","minimum":0,"maximum":9007199254740991,"pattern":"^([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?)$","default":0,"description":"Used memory never passes this by more than 5 %; 0: no limit"},"policy":{"type":"string","enum":["volatile-lru","volatile-lfu","volatile-random","volatile-ttl","allkeys-lru","allkeys-lfu","allkeys-random","noeviction"],"default":"noeviction","description":"Which keys make room for a write that does not fit, as Redis has it"},"samples":{"type":"integer","minimum":1,"maximum":2147483647,"default":5,"description":"Keys that are drawn to choose one from; more choose better and take longer"},"tenacity":{"type":"integer","minimum":0,"maximum":100,"default":10,"description":"How long a command may make room beyond its own need: 10 is 0.5 ms"},"lfuLogFactor":{"type":"integer","minimum":0,"maximum":2147483647,"default":10,"description":"How much more rarely the counter of a key's use grows the higher it stands"},"lfuDecayTime":{"type":"integer","minimum":0,"maximum":2147483647,"default":1,"description":"Minutes without use that cost the counter one; 0: none"},"clients":{"type":["integer","string"],"title":"bytes, a size like \"1gb\", or a share of max like \"5%\"","minimum":0,"maximum":9007199254740991,"pattern":"^([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?|([0-9]|[1-9][0-9]|100)%)$","default":0,"description":"Buffers of all clients: beyond it those with the largest are closed; 0: no limit"}}},"persistence":{"title":"the name of a persistence, or an object with it as \"use\"","description":"What makes changes durable and brings them back","type":["string","object"],"pattern":".","required":["use"],"properties":{"use":{"type":"string","pattern":".","title":"name of a persistence","description":"The name of a persistence"}},"default":"wal"},"frontends":{"type":"array","default":["repl"],"description":"What lets someone in","items":{"title":"the name of a frontend, or an object with it as \"use\"","description":"A frontend with its options","type":["string","object"],"pattern":".","required":["use"],"properties":{"use":{"type":"string","pattern":".","title":"name of a frontend","description":"The name of a frontend"}}}},"indexes":{"type":"object","default":{},"description":"Indexes that are made at the start unless they are there, by name","additionalProperties":{"title":"an index","type":"object","required":["use"],"properties":{"use":{"type":"string","pattern":".","description":"The kind: hash, ordered, or a plugin's"},"field":{"type":"string","pattern":".","description":"Path of the field: address.city"},"fields":{"type":"array","minItems":1,"items":{"type":"string","pattern":"."},"description":"Paths of several fields, which together are the key"},"prefix":{"type":"string","description":"Only documents under keys that begin so"},"unique":{"type":"boolean","description":"A value belongs to one document alone"},"sparse":{"type":"boolean","description":"Documents without the field are left out"},"where":{"type":"string","description":"Only documents that fulfil this filter"},"database":{"type":"integer","minimum":0,"description":"Default: 0"}},"additionalProperties":{"type":"string","title":"text"}}},"backup":{"type":"object","additionalProperties":false,"default":{},"description":"Where backups go, when they are made, and which stay","properties":{"to":{"type":"string","title":"a path, or s3://bucket/prefix","pattern":".","examples":["./backups","s3://bucket/prefix"],"description":"A folder, relative to this file, or a bucket. Default: `backups` in the data folder"},"s3":{"type":"object","additionalProperties":false,"description":"How a bucket is reached; what is missing comes from AWS_… or S3_… variables","properties":{"endpoint":{"type":"string","examples":["https://s3.example.org"],"description":"Of a service that speaks S3's protocol. Default: Amazon's of the region"},"region":{"type":"string","description":"Default: us-east-1"},"accessKeyId":{"type":"string","description":"Better in AWS_ACCESS_KEY_ID"},"secretAccessKey":{"type":"string","writeOnly":true,"description":"Better in AWS_SECRET_ACCESS_KEY"},"sessionToken":{"type":"string","writeOnly":true,"description":"Of temporary credentials; better in AWS_SESSION_TOKEN"},"addressing":{"type":"string","enum":["path","host"],"description":"Where the bucket stands in a URL. Default: path with an endpoint"}}},"schedule":{"type":"string","examples":["0 3 * * *"],"description":"When they are made: minute hour day month weekday"},"timeZone":{"type":"string","examples":["Europe/Zurich"],"description":"Of the schedule, and of the days of `keep`. Default: the system's"},"everySeconds":{"type":"integer","minimum":1,"examples":[3600],"description":"So long after the last one; with a schedule, whichever comes first"},"keep":{"type":"object","additionalProperties":false,"default":{},"examples":[{"hourly":24,"daily":7}],"description":"Which stay: the newest of so many hours, days, … Without it all stay","properties":{"last":{"type":"integer","minimum":0,"description":"So many of the newest"},"hourly":{"type":"integer","minimum":0,"description":"One of each of so many hours"},"daily":{"type":"integer","minimum":0,"description":"One of each of so many days"},"weekly":{"type":"integer","minimum":0,"description":"One of each of so many weeks"},"monthly":{"type":"integer","minimum":0,"description":"One of each of so many months"}}},"verify":{"type":"string","enum":["restore","checksum","none"],"default":"restore","description":"How far each backup is looked at: loaded and compared, its bytes alone, or not at all"}}},"parameters":{"type":"object","default":{},"examples":[{"hash-max-listpack-entries":128}],"description":"Parameters of CONFIG SET that no other key stands for, set at the start","additionalProperties":{"title":"text, a number, or true or false","type":["string","number","boolean"]}},"plugins":{"type":"array","default":[],"description":"Third-party plugins: paths relative to this file, or names of packages","items":{"title":"a path or the name of a package, or an object with it as \"use\"","description":"A plugin with its options","type":["string","object"],"pattern":".","required":["use"],"properties":{"use":{"type":"string","pattern":".","title":"path or package name of a plugin","description":"The path or package name of a plugin"}}}},"log":{"type":"object","additionalProperties":false,"default":{},"properties":{"level":{"type":"string","enum":["debug","info","warn","error"],"default":"info","description":"Lines below this level are not written"},"format":{"type":"string","enum":["text","json"],"default":"text","description":"text: lines for people. json: an object a line, for machines"},"file":{"type":"string","title":"a path","pattern":".","format":"path","examples":["kvdb.log"],"description":"Of a server: a file that is appended to, opened again at SIGHUP. Default: standard error"}}}}};
const func2 = Object.prototype.hasOwnProperty;
const pattern0 = new RegExp(".", "u");
const pattern1 = new RegExp("^[Ag$lshzxeKEtmdn]*$", "u");
const pattern2 = new RegExp("^ *(([nN][oO][rR][mM][aA][lL]|[rR][eE][pP][lL][iI][cC][aA]|[sS][lL][aA][vV][eE]|[pP][uU][bB][sS][uU][bB]) +([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?) +([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?) +[0-9]{1,9}( +([nN][oO][rR][mM][aA][lL]|[rR][eE][pP][lL][iI][cC][aA]|[sS][lL][aA][vV][eE]|[pP][uU][bB][sS][uU][bB]) +([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?) +([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?) +[0-9]{1,9})*)? *$", "u");
const pattern3 = new RegExp("^\\s*(?:|\\d+|[^\\s]+:\\d+|[^\\s]+\\s+\\d+|[nN][oO]\\s+[oO][nN][eE])\\s*$", "u");
const pattern4 = new RegExp("^([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?)$", "u");
const pattern5 = new RegExp("^([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?|([0-9]|[1-9][0-9]|100)%)$", "u");

function validate10(data, {instancePath="", parentData, parentDataProperty, rootData=data}={}){
let vErrors = null;
let errors = 0;
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.dir === undefined){
data.dir = ".kvdb";
}
if(data.databases === undefined){
data.databases = 16;
}
if(data.requirepass === undefined){
data.requirepass = "";
}
if(data["notify-keyspace-events"] === undefined){
data["notify-keyspace-events"] = "";
}
if(data["client-output-buffer-limit"] === undefined){
data["client-output-buffer-limit"] = "";
}
if(data.users === undefined){
data.users = {};
}
if(data.aclfile === undefined){
data.aclfile = "";
}
if(data["acl-pubsub-default"] === undefined){
data["acl-pubsub-default"] = "resetchannels";
}
if(data["acllog-max-len"] === undefined){
data["acllog-max-len"] = 128;
}
if(data["enable-debug-command"] === undefined){
data["enable-debug-command"] = "local";
}
if(data.replication === undefined){
data.replication = {};
}
if(data.memory === undefined){
data.memory = {};
}
if(data.persistence === undefined){
data.persistence = "wal";
}
if(data.frontends === undefined){
data.frontends = ["repl"];
}
if(data.indexes === undefined){
data.indexes = {};
}
if(data.backup === undefined){
data.backup = {};
}
if(data.parameters === undefined){
data.parameters = {};
}
if(data.plugins === undefined){
data.plugins = [];
}
if(data.log === undefined){
data.log = {};
}
for(const key0 in data){
if(!(func2.call(schema11.properties, key0))){
const err0 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
}
if(data.$schema !== undefined){
if(typeof data.$schema !== "string"){
const err1 = {instancePath:instancePath+"/$schema",schemaPath:"#/properties/%24schema/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
let data1 = data.dir;
if(typeof data1 === "string"){
if(!pattern0.test(data1)){
const err2 = {instancePath:instancePath+"/dir",schemaPath:"#/properties/dir/pattern",keyword:"pattern",params:{pattern: "."},message:"must match pattern \""+"."+"\""};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
else {
const err3 = {instancePath:instancePath+"/dir",schemaPath:"#/properties/dir/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
let data2 = data.databases;
if(!(((typeof data2 == "number") && (!(data2 % 1) && !isNaN(data2))) && (isFinite(data2)))){
const err4 = {instancePath:instancePath+"/databases",schemaPath:"#/properties/databases/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
if((typeof data2 == "number") && (isFinite(data2))){
if(data2 > 1024 || isNaN(data2)){
const err5 = {instancePath:instancePath+"/databases",schemaPath:"#/properties/databases/maximum",keyword:"maximum",params:{comparison: "<=", limit: 1024},message:"must be <= 1024"};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
if(data2 < 1 || isNaN(data2)){
const err6 = {instancePath:instancePath+"/databases",schemaPath:"#/properties/databases/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1"};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
if(typeof data.requirepass !== "string"){
const err7 = {instancePath:instancePath+"/requirepass",schemaPath:"#/properties/requirepass/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
let data4 = data["notify-keyspace-events"];
if(typeof data4 === "string"){
if(!pattern1.test(data4)){
const err8 = {instancePath:instancePath+"/notify-keyspace-events",schemaPath:"#/properties/notify-keyspace-events/pattern",keyword:"pattern",params:{pattern: "^[Ag$lshzxeKEtmdn]*$"},message:"must match pattern \""+"^[Ag$lshzxeKEtmdn]*$"+"\""};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
}
else {
const err9 = {instancePath:instancePath+"/notify-keyspace-events",schemaPath:"#/properties/notify-keyspace-events/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
let data5 = data["client-output-buffer-limit"];
if(typeof data5 === "string"){
if(!pattern2.test(data5)){
const err10 = {instancePath:instancePath+"/client-output-buffer-limit",schemaPath:"#/properties/client-output-buffer-limit/pattern",keyword:"pattern",params:{pattern: "^ *(([nN][oO][rR][mM][aA][lL]|[rR][eE][pP][lL][iI][cC][aA]|[sS][lL][aA][vV][eE]|[pP][uU][bB][sS][uU][bB]) +([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?) +([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?) +[0-9]{1,9}( +([nN][oO][rR][mM][aA][lL]|[rR][eE][pP][lL][iI][cC][aA]|[sS][lL][aA][vV][eE]|[pP][uU][bB][sS][uU][bB]) +([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?) +([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?) +[0-9]{1,9})*)? *$"},message:"must match pattern \""+"^ *(([nN][oO][rR][mM][aA][lL]|[rR][eE][pP][lL][iI][cC][aA]|[sS][lL][aA][vV][eE]|[pP][uU][bB][sS][uU][bB]) +([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?) +([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?) +[0-9]{1,9}( +([nN][oO][rR][mM][aA][lL]|[rR][eE][pP][lL][iI][cC][aA]|[sS][lL][aA][vV][eE]|[pP][uU][bB][sS][uU][bB]) +([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?) +([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?) +[0-9]{1,9})*)? *$"+"\""};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
}
else {
const err11 = {instancePath:instancePath+"/client-output-buffer-limit",schemaPath:"#/properties/client-output-buffer-limit/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
let data6 = data.users;
if(data6 && typeof data6 == "object" && !Array.isArray(data6)){
for(const key1 in data6){
let data7 = data6[key1];
if((!(Array.isArray(data7))) && (typeof data7 !== "string")){
const err12 = {instancePath:instancePath+"/users/" + key1.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/users/additionalProperties/type",keyword:"type",params:{type: schema11.properties.users.additionalProperties.type},message:"must be array,string"};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
if(Array.isArray(data7)){
const len0 = data7.length;
for(let i0=0; i0<len0; i0++){
if(typeof data7[i0] !== "string"){
const err13 = {instancePath:instancePath+"/users/" + key1.replace(/~/g, "~0").replace(/\//g, "~1")+"/" + i0,schemaPath:"#/properties/users/additionalProperties/items/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
}
}
}
}
else {
const err14 = {instancePath:instancePath+"/users",schemaPath:"#/properties/users/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
if(!(typeof data.aclfile === "string")){
const err15 = {instancePath:instancePath+"/aclfile",schemaPath:"#/properties/aclfile/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
let data10 = data["acl-pubsub-default"];
if(typeof data10 !== "string"){
const err16 = {instancePath:instancePath+"/acl-pubsub-default",schemaPath:"#/properties/acl-pubsub-default/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
if(!((data10 === "allchannels") || (data10 === "resetchannels"))){
const err17 = {instancePath:instancePath+"/acl-pubsub-default",schemaPath:"#/properties/acl-pubsub-default/enum",keyword:"enum",params:{allowedValues: schema11.properties["acl-pubsub-default"].enum},message:"must be equal to one of the allowed values"};
if(vErrors === null){
vErrors = [err17];
}
else {
vErrors.push(err17);
}
errors++;
}
let data11 = data["acllog-max-len"];
if(!(((typeof data11 == "number") && (!(data11 % 1) && !isNaN(data11))) && (isFinite(data11)))){
const err18 = {instancePath:instancePath+"/acllog-max-len",schemaPath:"#/properties/acllog-max-len/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err18];
}
else {
vErrors.push(err18);
}
errors++;
}
if((typeof data11 == "number") && (isFinite(data11))){
if(data11 < 0 || isNaN(data11)){
const err19 = {instancePath:instancePath+"/acllog-max-len",schemaPath:"#/properties/acllog-max-len/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err19];
}
else {
vErrors.push(err19);
}
errors++;
}
}
let data12 = data["enable-debug-command"];
if(typeof data12 !== "string"){
const err20 = {instancePath:instancePath+"/enable-debug-command",schemaPath:"#/properties/enable-debug-command/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err20];
}
else {
vErrors.push(err20);
}
errors++;
}
if(!(((data12 === "no") || (data12 === "yes")) || (data12 === "local"))){
const err21 = {instancePath:instancePath+"/enable-debug-command",schemaPath:"#/properties/enable-debug-command/enum",keyword:"enum",params:{allowedValues: schema11.properties["enable-debug-command"].enum},message:"must be equal to one of the allowed values"};
if(vErrors === null){
vErrors = [err21];
}
else {
vErrors.push(err21);
}
errors++;
}
let data13 = data.replication;
if(data13 && typeof data13 == "object" && !Array.isArray(data13)){
if(data13.of === undefined){
data13.of = "";
}
if(data13.user === undefined){
data13.user = "";
}
if(data13.password === undefined){
data13.password = "";
}
for(const key2 in data13){
if(!(((key2 === "of") || (key2 === "user")) || (key2 === "password"))){
const err22 = {instancePath:instancePath+"/replication",schemaPath:"#/properties/replication/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key2},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err22];
}
else {
vErrors.push(err22);
}
errors++;
}
}
let data14 = data13.of;
if(typeof data14 === "string"){
if(!pattern3.test(data14)){
const err23 = {instancePath:instancePath+"/replication/of",schemaPath:"#/properties/replication/properties/of/pattern",keyword:"pattern",params:{pattern: "^\\s*(?:|\\d+|[^\\s]+:\\d+|[^\\s]+\\s+\\d+|[nN][oO]\\s+[oO][nN][eE])\\s*$"},message:"must match pattern \""+"^\\s*(?:|\\d+|[^\\s]+:\\d+|[^\\s]+\\s+\\d+|[nN][oO]\\s+[oO][nN][eE])\\s*$"+"\""};
if(vErrors === null){
vErrors = [err23];
}
else {
vErrors.push(err23);
}
errors++;
}
}
else {
const err24 = {instancePath:instancePath+"/replication/of",schemaPath:"#/properties/replication/properties/of/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err24];
}
else {
vErrors.push(err24);
}
errors++;
}
if(typeof data13.user !== "string"){
const err25 = {instancePath:instancePath+"/replication/user",schemaPath:"#/properties/replication/properties/user/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err25];
}
else {
vErrors.push(err25);
}
errors++;
}
if(typeof data13.password !== "string"){
const err26 = {instancePath:instancePath+"/replication/password",schemaPath:"#/properties/replication/properties/password/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err26];
}
else {
vErrors.push(err26);
}
errors++;
}
}
else {
const err27 = {instancePath:instancePath+"/replication",schemaPath:"#/properties/replication/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err27];
}
else {
vErrors.push(err27);
}
errors++;
}
let data17 = data.memory;
if(data17 && typeof data17 == "object" && !Array.isArray(data17)){
if(data17.max === undefined){
data17.max = 0;
}
if(data17.policy === undefined){
data17.policy = "noeviction";
}
if(data17.samples === undefined){
data17.samples = 5;
}
if(data17.tenacity === undefined){
data17.tenacity = 10;
}
if(data17.lfuLogFactor === undefined){
data17.lfuLogFactor = 10;
}
if(data17.lfuDecayTime === undefined){
data17.lfuDecayTime = 1;
}
if(data17.clients === undefined){
data17.clients = 0;
}
for(const key3 in data17){
if(!(((((((key3 === "max") || (key3 === "policy")) || (key3 === "samples")) || (key3 === "tenacity")) || (key3 === "lfuLogFactor")) || (key3 === "lfuDecayTime")) || (key3 === "clients"))){
const err28 = {instancePath:instancePath+"/memory",schemaPath:"#/properties/memory/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key3},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err28];
}
else {
vErrors.push(err28);
}
errors++;
}
}
let data18 = data17.max;
if((!(((typeof data18 == "number") && (!(data18 % 1) && !isNaN(data18))) && (isFinite(data18)))) && (typeof data18 !== "string")){
const err29 = {instancePath:instancePath+"/memory/max",schemaPath:"#/properties/memory/properties/max/type",keyword:"type",params:{type: schema11.properties.memory.properties.max.type},message:"must be integer,string"};
if(vErrors === null){
vErrors = [err29];
}
else {
vErrors.push(err29);
}
errors++;
}
if((typeof data18 == "number") && (isFinite(data18))){
if(data18 > 9007199254740991 || isNaN(data18)){
const err30 = {instancePath:instancePath+"/memory/max",schemaPath:"#/properties/memory/properties/max/maximum",keyword:"maximum",params:{comparison: "<=", limit: 9007199254740991},message:"must be <= 9007199254740991"};
if(vErrors === null){
vErrors = [err30];
}
else {
vErrors.push(err30);
}
errors++;
}
if(data18 < 0 || isNaN(data18)){
const err31 = {instancePath:instancePath+"/memory/max",schemaPath:"#/properties/memory/properties/max/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err31];
}
else {
vErrors.push(err31);
}
errors++;
}
}
if(typeof data18 === "string"){
if(!pattern4.test(data18)){
const err32 = {instancePath:instancePath+"/memory/max",schemaPath:"#/properties/memory/properties/max/pattern",keyword:"pattern",params:{pattern: "^([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?)$"},message:"must match pattern \""+"^([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?)$"+"\""};
if(vErrors === null){
vErrors = [err32];
}
else {
vErrors.push(err32);
}
errors++;
}
}
let data19 = data17.policy;
if(typeof data19 !== "string"){
const err33 = {instancePath:instancePath+"/memory/policy",schemaPath:"#/properties/memory/properties/policy/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err33];
}
else {
vErrors.push(err33);
}
errors++;
}
if(!((((((((data19 === "volatile-lru") || (data19 === "volatile-lfu")) || (data19 === "volatile-random")) || (data19 === "volatile-ttl")) || (data19 === "allkeys-lru")) || (data19 === "allkeys-lfu")) || (data19 === "allkeys-random")) || (data19 === "noeviction"))){
const err34 = {instancePath:instancePath+"/memory/policy",schemaPath:"#/properties/memory/properties/policy/enum",keyword:"enum",params:{allowedValues: schema11.properties.memory.properties.policy.enum},message:"must be equal to one of the allowed values"};
if(vErrors === null){
vErrors = [err34];
}
else {
vErrors.push(err34);
}
errors++;
}
let data20 = data17.samples;
if(!(((typeof data20 == "number") && (!(data20 % 1) && !isNaN(data20))) && (isFinite(data20)))){
const err35 = {instancePath:instancePath+"/memory/samples",schemaPath:"#/properties/memory/properties/samples/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err35];
}
else {
vErrors.push(err35);
}
errors++;
}
if((typeof data20 == "number") && (isFinite(data20))){
if(data20 > 2147483647 || isNaN(data20)){
const err36 = {instancePath:instancePath+"/memory/samples",schemaPath:"#/properties/memory/properties/samples/maximum",keyword:"maximum",params:{comparison: "<=", limit: 2147483647},message:"must be <= 2147483647"};
if(vErrors === null){
vErrors = [err36];
}
else {
vErrors.push(err36);
}
errors++;
}
if(data20 < 1 || isNaN(data20)){
const err37 = {instancePath:instancePath+"/memory/samples",schemaPath:"#/properties/memory/properties/samples/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1"};
if(vErrors === null){
vErrors = [err37];
}
else {
vErrors.push(err37);
}
errors++;
}
}
let data21 = data17.tenacity;
if(!(((typeof data21 == "number") && (!(data21 % 1) && !isNaN(data21))) && (isFinite(data21)))){
const err38 = {instancePath:instancePath+"/memory/tenacity",schemaPath:"#/properties/memory/properties/tenacity/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err38];
}
else {
vErrors.push(err38);
}
errors++;
}
if((typeof data21 == "number") && (isFinite(data21))){
if(data21 > 100 || isNaN(data21)){
const err39 = {instancePath:instancePath+"/memory/tenacity",schemaPath:"#/properties/memory/properties/tenacity/maximum",keyword:"maximum",params:{comparison: "<=", limit: 100},message:"must be <= 100"};
if(vErrors === null){
vErrors = [err39];
}
else {
vErrors.push(err39);
}
errors++;
}
if(data21 < 0 || isNaN(data21)){
const err40 = {instancePath:instancePath+"/memory/tenacity",schemaPath:"#/properties/memory/properties/tenacity/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err40];
}
else {
vErrors.push(err40);
}
errors++;
}
}
let data22 = data17.lfuLogFactor;
if(!(((typeof data22 == "number") && (!(data22 % 1) && !isNaN(data22))) && (isFinite(data22)))){
const err41 = {instancePath:instancePath+"/memory/lfuLogFactor",schemaPath:"#/properties/memory/properties/lfuLogFactor/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err41];
}
else {
vErrors.push(err41);
}
errors++;
}
if((typeof data22 == "number") && (isFinite(data22))){
if(data22 > 2147483647 || isNaN(data22)){
const err42 = {instancePath:instancePath+"/memory/lfuLogFactor",schemaPath:"#/properties/memory/properties/lfuLogFactor/maximum",keyword:"maximum",params:{comparison: "<=", limit: 2147483647},message:"must be <= 2147483647"};
if(vErrors === null){
vErrors = [err42];
}
else {
vErrors.push(err42);
}
errors++;
}
if(data22 < 0 || isNaN(data22)){
const err43 = {instancePath:instancePath+"/memory/lfuLogFactor",schemaPath:"#/properties/memory/properties/lfuLogFactor/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err43];
}
else {
vErrors.push(err43);
}
errors++;
}
}
let data23 = data17.lfuDecayTime;
if(!(((typeof data23 == "number") && (!(data23 % 1) && !isNaN(data23))) && (isFinite(data23)))){
const err44 = {instancePath:instancePath+"/memory/lfuDecayTime",schemaPath:"#/properties/memory/properties/lfuDecayTime/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err44];
}
else {
vErrors.push(err44);
}
errors++;
}
if((typeof data23 == "number") && (isFinite(data23))){
if(data23 > 2147483647 || isNaN(data23)){
const err45 = {instancePath:instancePath+"/memory/lfuDecayTime",schemaPath:"#/properties/memory/properties/lfuDecayTime/maximum",keyword:"maximum",params:{comparison: "<=", limit: 2147483647},message:"must be <= 2147483647"};
if(vErrors === null){
vErrors = [err45];
}
else {
vErrors.push(err45);
}
errors++;
}
if(data23 < 0 || isNaN(data23)){
const err46 = {instancePath:instancePath+"/memory/lfuDecayTime",schemaPath:"#/properties/memory/properties/lfuDecayTime/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err46];
}
else {
vErrors.push(err46);
}
errors++;
}
}
let data24 = data17.clients;
if((!(((typeof data24 == "number") && (!(data24 % 1) && !isNaN(data24))) && (isFinite(data24)))) && (typeof data24 !== "string")){
const err47 = {instancePath:instancePath+"/memory/clients",schemaPath:"#/properties/memory/properties/clients/type",keyword:"type",params:{type: schema11.properties.memory.properties.clients.type},message:"must be integer,string"};
if(vErrors === null){
vErrors = [err47];
}
else {
vErrors.push(err47);
}
errors++;
}
if((typeof data24 == "number") && (isFinite(data24))){
if(data24 > 9007199254740991 || isNaN(data24)){
const err48 = {instancePath:instancePath+"/memory/clients",schemaPath:"#/properties/memory/properties/clients/maximum",keyword:"maximum",params:{comparison: "<=", limit: 9007199254740991},message:"must be <= 9007199254740991"};
if(vErrors === null){
vErrors = [err48];
}
else {
vErrors.push(err48);
}
errors++;
}
if(data24 < 0 || isNaN(data24)){
const err49 = {instancePath:instancePath+"/memory/clients",schemaPath:"#/properties/memory/properties/clients/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err49];
}
else {
vErrors.push(err49);
}
errors++;
}
}
if(typeof data24 === "string"){
if(!pattern5.test(data24)){
const err50 = {instancePath:instancePath+"/memory/clients",schemaPath:"#/properties/memory/properties/clients/pattern",keyword:"pattern",params:{pattern: "^([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?|([0-9]|[1-9][0-9]|100)%)$"},message:"must match pattern \""+"^([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?|([0-9]|[1-9][0-9]|100)%)$"+"\""};
if(vErrors === null){
vErrors = [err50];
}
else {
vErrors.push(err50);
}
errors++;
}
}
}
else {
const err51 = {instancePath:instancePath+"/memory",schemaPath:"#/properties/memory/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err51];
}
else {
vErrors.push(err51);
}
errors++;
}
let data25 = data.persistence;
if((typeof data25 !== "string") && (!(data25 && typeof data25 == "object" && !Array.isArray(data25)))){
const err52 = {instancePath:instancePath+"/persistence",schemaPath:"#/properties/persistence/type",keyword:"type",params:{type: schema11.properties.persistence.type},message:"must be string,object"};
if(vErrors === null){
vErrors = [err52];
}
else {
vErrors.push(err52);
}
errors++;
}
if(typeof data25 === "string"){
if(!pattern0.test(data25)){
const err53 = {instancePath:instancePath+"/persistence",schemaPath:"#/properties/persistence/pattern",keyword:"pattern",params:{pattern: "."},message:"must match pattern \""+"."+"\""};
if(vErrors === null){
vErrors = [err53];
}
else {
vErrors.push(err53);
}
errors++;
}
}
if(data25 && typeof data25 == "object" && !Array.isArray(data25)){
if(data25.use === undefined){
const err54 = {instancePath:instancePath+"/persistence",schemaPath:"#/properties/persistence/required",keyword:"required",params:{missingProperty: "use"},message:"must have required property '"+"use"+"'"};
if(vErrors === null){
vErrors = [err54];
}
else {
vErrors.push(err54);
}
errors++;
}
if(data25.use !== undefined){
let data26 = data25.use;
if(typeof data26 === "string"){
if(!pattern0.test(data26)){
const err55 = {instancePath:instancePath+"/persistence/use",schemaPath:"#/properties/persistence/properties/use/pattern",keyword:"pattern",params:{pattern: "."},message:"must match pattern \""+"."+"\""};
if(vErrors === null){
vErrors = [err55];
}
else {
vErrors.push(err55);
}
errors++;
}
}
else {
const err56 = {instancePath:instancePath+"/persistence/use",schemaPath:"#/properties/persistence/properties/use/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err56];
}
else {
vErrors.push(err56);
}
errors++;
}
}
}
let data27 = data.frontends;
if(Array.isArray(data27)){
const len1 = data27.length;
for(let i1=0; i1<len1; i1++){
let data28 = data27[i1];
if((typeof data28 !== "string") && (!(data28 && typeof data28 == "object" && !Array.isArray(data28)))){
const err57 = {instancePath:instancePath+"/frontends/" + i1,schemaPath:"#/properties/frontends/items/type",keyword:"type",params:{type: schema11.properties.frontends.items.type},message:"must be string,object"};
if(vErrors === null){
vErrors = [err57];
}
else {
vErrors.push(err57);
}
errors++;
}
if(typeof data28 === "string"){
if(!pattern0.test(data28)){
const err58 = {instancePath:instancePath+"/frontends/" + i1,schemaPath:"#/properties/frontends/items/pattern",keyword:"pattern",params:{pattern: "."},message:"must match pattern \""+"."+"\""};
if(vErrors === null){
vErrors = [err58];
}
else {
vErrors.push(err58);
}
errors++;
}
}
if(data28 && typeof data28 == "object" && !Array.isArray(data28)){
if(data28.use === undefined){
const err59 = {instancePath:instancePath+"/frontends/" + i1,schemaPath:"#/properties/frontends/items/required",keyword:"required",params:{missingProperty: "use"},message:"must have required property '"+"use"+"'"};
if(vErrors === null){
vErrors = [err59];
}
else {
vErrors.push(err59);
}
errors++;
}
if(data28.use !== undefined){
let data29 = data28.use;
if(typeof data29 === "string"){
if(!pattern0.test(data29)){
const err60 = {instancePath:instancePath+"/frontends/" + i1+"/use",schemaPath:"#/properties/frontends/items/properties/use/pattern",keyword:"pattern",params:{pattern: "."},message:"must match pattern \""+"."+"\""};
if(vErrors === null){
vErrors = [err60];
}
else {
vErrors.push(err60);
}
errors++;
}
}
else {
const err61 = {instancePath:instancePath+"/frontends/" + i1+"/use",schemaPath:"#/properties/frontends/items/properties/use/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err61];
}
else {
vErrors.push(err61);
}
errors++;
}
}
}
}
}
else {
const err62 = {instancePath:instancePath+"/frontends",schemaPath:"#/properties/frontends/type",keyword:"type",params:{type: "array"},message:"must be array"};
if(vErrors === null){
vErrors = [err62];
}
else {
vErrors.push(err62);
}
errors++;
}
let data30 = data.indexes;
if(data30 && typeof data30 == "object" && !Array.isArray(data30)){
for(const key4 in data30){
let data31 = data30[key4];
if(data31 && typeof data31 == "object" && !Array.isArray(data31)){
if(data31.use === undefined){
const err63 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/indexes/additionalProperties/required",keyword:"required",params:{missingProperty: "use"},message:"must have required property '"+"use"+"'"};
if(vErrors === null){
vErrors = [err63];
}
else {
vErrors.push(err63);
}
errors++;
}
for(const key5 in data31){
if(!((((((((key5 === "use") || (key5 === "field")) || (key5 === "fields")) || (key5 === "prefix")) || (key5 === "unique")) || (key5 === "sparse")) || (key5 === "where")) || (key5 === "database"))){
if(typeof data31[key5] !== "string"){
const err64 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1")+"/" + key5.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/indexes/additionalProperties/additionalProperties/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err64];
}
else {
vErrors.push(err64);
}
errors++;
}
}
}
if(data31.use !== undefined){
let data33 = data31.use;
if(typeof data33 === "string"){
if(!pattern0.test(data33)){
const err65 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1")+"/use",schemaPath:"#/properties/indexes/additionalProperties/properties/use/pattern",keyword:"pattern",params:{pattern: "."},message:"must match pattern \""+"."+"\""};
if(vErrors === null){
vErrors = [err65];
}
else {
vErrors.push(err65);
}
errors++;
}
}
else {
const err66 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1")+"/use",schemaPath:"#/properties/indexes/additionalProperties/properties/use/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err66];
}
else {
vErrors.push(err66);
}
errors++;
}
}
if(data31.field !== undefined){
let data34 = data31.field;
if(typeof data34 === "string"){
if(!pattern0.test(data34)){
const err67 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1")+"/field",schemaPath:"#/properties/indexes/additionalProperties/properties/field/pattern",keyword:"pattern",params:{pattern: "."},message:"must match pattern \""+"."+"\""};
if(vErrors === null){
vErrors = [err67];
}
else {
vErrors.push(err67);
}
errors++;
}
}
else {
const err68 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1")+"/field",schemaPath:"#/properties/indexes/additionalProperties/properties/field/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err68];
}
else {
vErrors.push(err68);
}
errors++;
}
}
if(data31.fields !== undefined){
let data35 = data31.fields;
if(Array.isArray(data35)){
if(data35.length < 1){
const err69 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1")+"/fields",schemaPath:"#/properties/indexes/additionalProperties/properties/fields/minItems",keyword:"minItems",params:{limit: 1},message:"must NOT have fewer than 1 items"};
if(vErrors === null){
vErrors = [err69];
}
else {
vErrors.push(err69);
}
errors++;
}
const len2 = data35.length;
for(let i2=0; i2<len2; i2++){
let data36 = data35[i2];
if(typeof data36 === "string"){
if(!pattern0.test(data36)){
const err70 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1")+"/fields/" + i2,schemaPath:"#/properties/indexes/additionalProperties/properties/fields/items/pattern",keyword:"pattern",params:{pattern: "."},message:"must match pattern \""+"."+"\""};
if(vErrors === null){
vErrors = [err70];
}
else {
vErrors.push(err70);
}
errors++;
}
}
else {
const err71 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1")+"/fields/" + i2,schemaPath:"#/properties/indexes/additionalProperties/properties/fields/items/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err71];
}
else {
vErrors.push(err71);
}
errors++;
}
}
}
else {
const err72 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1")+"/fields",schemaPath:"#/properties/indexes/additionalProperties/properties/fields/type",keyword:"type",params:{type: "array"},message:"must be array"};
if(vErrors === null){
vErrors = [err72];
}
else {
vErrors.push(err72);
}
errors++;
}
}
if(data31.prefix !== undefined){
if(typeof data31.prefix !== "string"){
const err73 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1")+"/prefix",schemaPath:"#/properties/indexes/additionalProperties/properties/prefix/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err73];
}
else {
vErrors.push(err73);
}
errors++;
}
}
if(data31.unique !== undefined){
if(typeof data31.unique !== "boolean"){
const err74 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1")+"/unique",schemaPath:"#/properties/indexes/additionalProperties/properties/unique/type",keyword:"type",params:{type: "boolean"},message:"must be boolean"};
if(vErrors === null){
vErrors = [err74];
}
else {
vErrors.push(err74);
}
errors++;
}
}
if(data31.sparse !== undefined){
if(typeof data31.sparse !== "boolean"){
const err75 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1")+"/sparse",schemaPath:"#/properties/indexes/additionalProperties/properties/sparse/type",keyword:"type",params:{type: "boolean"},message:"must be boolean"};
if(vErrors === null){
vErrors = [err75];
}
else {
vErrors.push(err75);
}
errors++;
}
}
if(data31.where !== undefined){
if(typeof data31.where !== "string"){
const err76 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1")+"/where",schemaPath:"#/properties/indexes/additionalProperties/properties/where/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err76];
}
else {
vErrors.push(err76);
}
errors++;
}
}
if(data31.database !== undefined){
let data41 = data31.database;
if(!(((typeof data41 == "number") && (!(data41 % 1) && !isNaN(data41))) && (isFinite(data41)))){
const err77 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1")+"/database",schemaPath:"#/properties/indexes/additionalProperties/properties/database/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err77];
}
else {
vErrors.push(err77);
}
errors++;
}
if((typeof data41 == "number") && (isFinite(data41))){
if(data41 < 0 || isNaN(data41)){
const err78 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1")+"/database",schemaPath:"#/properties/indexes/additionalProperties/properties/database/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err78];
}
else {
vErrors.push(err78);
}
errors++;
}
}
}
}
else {
const err79 = {instancePath:instancePath+"/indexes/" + key4.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/indexes/additionalProperties/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err79];
}
else {
vErrors.push(err79);
}
errors++;
}
}
}
else {
const err80 = {instancePath:instancePath+"/indexes",schemaPath:"#/properties/indexes/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err80];
}
else {
vErrors.push(err80);
}
errors++;
}
let data42 = data.backup;
if(data42 && typeof data42 == "object" && !Array.isArray(data42)){
if(data42.keep === undefined){
data42.keep = {};
}
if(data42.verify === undefined){
data42.verify = "restore";
}
for(const key6 in data42){
if(!(((((((key6 === "to") || (key6 === "s3")) || (key6 === "schedule")) || (key6 === "timeZone")) || (key6 === "everySeconds")) || (key6 === "keep")) || (key6 === "verify"))){
const err81 = {instancePath:instancePath+"/backup",schemaPath:"#/properties/backup/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key6},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err81];
}
else {
vErrors.push(err81);
}
errors++;
}
}
if(data42.to !== undefined){
let data43 = data42.to;
if(typeof data43 === "string"){
if(!pattern0.test(data43)){
const err82 = {instancePath:instancePath+"/backup/to",schemaPath:"#/properties/backup/properties/to/pattern",keyword:"pattern",params:{pattern: "."},message:"must match pattern \""+"."+"\""};
if(vErrors === null){
vErrors = [err82];
}
else {
vErrors.push(err82);
}
errors++;
}
}
else {
const err83 = {instancePath:instancePath+"/backup/to",schemaPath:"#/properties/backup/properties/to/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err83];
}
else {
vErrors.push(err83);
}
errors++;
}
}
if(data42.s3 !== undefined){
let data44 = data42.s3;
if(data44 && typeof data44 == "object" && !Array.isArray(data44)){
for(const key7 in data44){
if(!((((((key7 === "endpoint") || (key7 === "region")) || (key7 === "accessKeyId")) || (key7 === "secretAccessKey")) || (key7 === "sessionToken")) || (key7 === "addressing"))){
const err84 = {instancePath:instancePath+"/backup/s3",schemaPath:"#/properties/backup/properties/s3/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key7},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err84];
}
else {
vErrors.push(err84);
}
errors++;
}
}
if(data44.endpoint !== undefined){
if(typeof data44.endpoint !== "string"){
const err85 = {instancePath:instancePath+"/backup/s3/endpoint",schemaPath:"#/properties/backup/properties/s3/properties/endpoint/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err85];
}
else {
vErrors.push(err85);
}
errors++;
}
}
if(data44.region !== undefined){
if(typeof data44.region !== "string"){
const err86 = {instancePath:instancePath+"/backup/s3/region",schemaPath:"#/properties/backup/properties/s3/properties/region/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err86];
}
else {
vErrors.push(err86);
}
errors++;
}
}
if(data44.accessKeyId !== undefined){
if(typeof data44.accessKeyId !== "string"){
const err87 = {instancePath:instancePath+"/backup/s3/accessKeyId",schemaPath:"#/properties/backup/properties/s3/properties/accessKeyId/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err87];
}
else {
vErrors.push(err87);
}
errors++;
}
}
if(data44.secretAccessKey !== undefined){
if(typeof data44.secretAccessKey !== "string"){
const err88 = {instancePath:instancePath+"/backup/s3/secretAccessKey",schemaPath:"#/properties/backup/properties/s3/properties/secretAccessKey/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err88];
}
else {
vErrors.push(err88);
}
errors++;
}
}
if(data44.sessionToken !== undefined){
if(typeof data44.sessionToken !== "string"){
const err89 = {instancePath:instancePath+"/backup/s3/sessionToken",schemaPath:"#/properties/backup/properties/s3/properties/sessionToken/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err89];
}
else {
vErrors.push(err89);
}
errors++;
}
}
if(data44.addressing !== undefined){
let data50 = data44.addressing;
if(typeof data50 !== "string"){
const err90 = {instancePath:instancePath+"/backup/s3/addressing",schemaPath:"#/properties/backup/properties/s3/properties/addressing/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err90];
}
else {
vErrors.push(err90);
}
errors++;
}
if(!((data50 === "path") || (data50 === "host"))){
const err91 = {instancePath:instancePath+"/backup/s3/addressing",schemaPath:"#/properties/backup/properties/s3/properties/addressing/enum",keyword:"enum",params:{allowedValues: schema11.properties.backup.properties.s3.properties.addressing.enum},message:"must be equal to one of the allowed values"};
if(vErrors === null){
vErrors = [err91];
}
else {
vErrors.push(err91);
}
errors++;
}
}
}
else {
const err92 = {instancePath:instancePath+"/backup/s3",schemaPath:"#/properties/backup/properties/s3/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err92];
}
else {
vErrors.push(err92);
}
errors++;
}
}
if(data42.schedule !== undefined){
if(typeof data42.schedule !== "string"){
const err93 = {instancePath:instancePath+"/backup/schedule",schemaPath:"#/properties/backup/properties/schedule/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err93];
}
else {
vErrors.push(err93);
}
errors++;
}
}
if(data42.timeZone !== undefined){
if(typeof data42.timeZone !== "string"){
const err94 = {instancePath:instancePath+"/backup/timeZone",schemaPath:"#/properties/backup/properties/timeZone/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err94];
}
else {
vErrors.push(err94);
}
errors++;
}
}
if(data42.everySeconds !== undefined){
let data53 = data42.everySeconds;
if(!(((typeof data53 == "number") && (!(data53 % 1) && !isNaN(data53))) && (isFinite(data53)))){
const err95 = {instancePath:instancePath+"/backup/everySeconds",schemaPath:"#/properties/backup/properties/everySeconds/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err95];
}
else {
vErrors.push(err95);
}
errors++;
}
if((typeof data53 == "number") && (isFinite(data53))){
if(data53 < 1 || isNaN(data53)){
const err96 = {instancePath:instancePath+"/backup/everySeconds",schemaPath:"#/properties/backup/properties/everySeconds/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1"};
if(vErrors === null){
vErrors = [err96];
}
else {
vErrors.push(err96);
}
errors++;
}
}
}
let data54 = data42.keep;
if(data54 && typeof data54 == "object" && !Array.isArray(data54)){
for(const key8 in data54){
if(!(((((key8 === "last") || (key8 === "hourly")) || (key8 === "daily")) || (key8 === "weekly")) || (key8 === "monthly"))){
const err97 = {instancePath:instancePath+"/backup/keep",schemaPath:"#/properties/backup/properties/keep/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key8},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err97];
}
else {
vErrors.push(err97);
}
errors++;
}
}
if(data54.last !== undefined){
let data55 = data54.last;
if(!(((typeof data55 == "number") && (!(data55 % 1) && !isNaN(data55))) && (isFinite(data55)))){
const err98 = {instancePath:instancePath+"/backup/keep/last",schemaPath:"#/properties/backup/properties/keep/properties/last/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err98];
}
else {
vErrors.push(err98);
}
errors++;
}
if((typeof data55 == "number") && (isFinite(data55))){
if(data55 < 0 || isNaN(data55)){
const err99 = {instancePath:instancePath+"/backup/keep/last",schemaPath:"#/properties/backup/properties/keep/properties/last/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err99];
}
else {
vErrors.push(err99);
}
errors++;
}
}
}
if(data54.hourly !== undefined){
let data56 = data54.hourly;
if(!(((typeof data56 == "number") && (!(data56 % 1) && !isNaN(data56))) && (isFinite(data56)))){
const err100 = {instancePath:instancePath+"/backup/keep/hourly",schemaPath:"#/properties/backup/properties/keep/properties/hourly/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err100];
}
else {
vErrors.push(err100);
}
errors++;
}
if((typeof data56 == "number") && (isFinite(data56))){
if(data56 < 0 || isNaN(data56)){
const err101 = {instancePath:instancePath+"/backup/keep/hourly",schemaPath:"#/properties/backup/properties/keep/properties/hourly/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err101];
}
else {
vErrors.push(err101);
}
errors++;
}
}
}
if(data54.daily !== undefined){
let data57 = data54.daily;
if(!(((typeof data57 == "number") && (!(data57 % 1) && !isNaN(data57))) && (isFinite(data57)))){
const err102 = {instancePath:instancePath+"/backup/keep/daily",schemaPath:"#/properties/backup/properties/keep/properties/daily/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err102];
}
else {
vErrors.push(err102);
}
errors++;
}
if((typeof data57 == "number") && (isFinite(data57))){
if(data57 < 0 || isNaN(data57)){
const err103 = {instancePath:instancePath+"/backup/keep/daily",schemaPath:"#/properties/backup/properties/keep/properties/daily/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err103];
}
else {
vErrors.push(err103);
}
errors++;
}
}
}
if(data54.weekly !== undefined){
let data58 = data54.weekly;
if(!(((typeof data58 == "number") && (!(data58 % 1) && !isNaN(data58))) && (isFinite(data58)))){
const err104 = {instancePath:instancePath+"/backup/keep/weekly",schemaPath:"#/properties/backup/properties/keep/properties/weekly/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err104];
}
else {
vErrors.push(err104);
}
errors++;
}
if((typeof data58 == "number") && (isFinite(data58))){
if(data58 < 0 || isNaN(data58)){
const err105 = {instancePath:instancePath+"/backup/keep/weekly",schemaPath:"#/properties/backup/properties/keep/properties/weekly/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err105];
}
else {
vErrors.push(err105);
}
errors++;
}
}
}
if(data54.monthly !== undefined){
let data59 = data54.monthly;
if(!(((typeof data59 == "number") && (!(data59 % 1) && !isNaN(data59))) && (isFinite(data59)))){
const err106 = {instancePath:instancePath+"/backup/keep/monthly",schemaPath:"#/properties/backup/properties/keep/properties/monthly/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err106];
}
else {
vErrors.push(err106);
}
errors++;
}
if((typeof data59 == "number") && (isFinite(data59))){
if(data59 < 0 || isNaN(data59)){
const err107 = {instancePath:instancePath+"/backup/keep/monthly",schemaPath:"#/properties/backup/properties/keep/properties/monthly/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err107];
}
else {
vErrors.push(err107);
}
errors++;
}
}
}
}
else {
const err108 = {instancePath:instancePath+"/backup/keep",schemaPath:"#/properties/backup/properties/keep/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err108];
}
else {
vErrors.push(err108);
}
errors++;
}
let data60 = data42.verify;
if(typeof data60 !== "string"){
const err109 = {instancePath:instancePath+"/backup/verify",schemaPath:"#/properties/backup/properties/verify/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err109];
}
else {
vErrors.push(err109);
}
errors++;
}
if(!(((data60 === "restore") || (data60 === "checksum")) || (data60 === "none"))){
const err110 = {instancePath:instancePath+"/backup/verify",schemaPath:"#/properties/backup/properties/verify/enum",keyword:"enum",params:{allowedValues: schema11.properties.backup.properties.verify.enum},message:"must be equal to one of the allowed values"};
if(vErrors === null){
vErrors = [err110];
}
else {
vErrors.push(err110);
}
errors++;
}
}
else {
const err111 = {instancePath:instancePath+"/backup",schemaPath:"#/properties/backup/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err111];
}
else {
vErrors.push(err111);
}
errors++;
}
let data61 = data.parameters;
if(data61 && typeof data61 == "object" && !Array.isArray(data61)){
for(const key9 in data61){
let data62 = data61[key9];
if(((typeof data62 !== "string") && (!((typeof data62 == "number") && (isFinite(data62))))) && (typeof data62 !== "boolean")){
const err112 = {instancePath:instancePath+"/parameters/" + key9.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/parameters/additionalProperties/type",keyword:"type",params:{type: schema11.properties.parameters.additionalProperties.type},message:"must be string,number,boolean"};
if(vErrors === null){
vErrors = [err112];
}
else {
vErrors.push(err112);
}
errors++;
}
}
}
else {
const err113 = {instancePath:instancePath+"/parameters",schemaPath:"#/properties/parameters/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err113];
}
else {
vErrors.push(err113);
}
errors++;
}
let data63 = data.plugins;
if(Array.isArray(data63)){
const len3 = data63.length;
for(let i3=0; i3<len3; i3++){
let data64 = data63[i3];
if((typeof data64 !== "string") && (!(data64 && typeof data64 == "object" && !Array.isArray(data64)))){
const err114 = {instancePath:instancePath+"/plugins/" + i3,schemaPath:"#/properties/plugins/items/type",keyword:"type",params:{type: schema11.properties.plugins.items.type},message:"must be string,object"};
if(vErrors === null){
vErrors = [err114];
}
else {
vErrors.push(err114);
}
errors++;
}
if(typeof data64 === "string"){
if(!pattern0.test(data64)){
const err115 = {instancePath:instancePath+"/plugins/" + i3,schemaPath:"#/properties/plugins/items/pattern",keyword:"pattern",params:{pattern: "."},message:"must match pattern \""+"."+"\""};
if(vErrors === null){
vErrors = [err115];
}
else {
vErrors.push(err115);
}
errors++;
}
}
if(data64 && typeof data64 == "object" && !Array.isArray(data64)){
if(data64.use === undefined){
const err116 = {instancePath:instancePath+"/plugins/" + i3,schemaPath:"#/properties/plugins/items/required",keyword:"required",params:{missingProperty: "use"},message:"must have required property '"+"use"+"'"};
if(vErrors === null){
vErrors = [err116];
}
else {
vErrors.push(err116);
}
errors++;
}
if(data64.use !== undefined){
let data65 = data64.use;
if(typeof data65 === "string"){
if(!pattern0.test(data65)){
const err117 = {instancePath:instancePath+"/plugins/" + i3+"/use",schemaPath:"#/properties/plugins/items/properties/use/pattern",keyword:"pattern",params:{pattern: "."},message:"must match pattern \""+"."+"\""};
if(vErrors === null){
vErrors = [err117];
}
else {
vErrors.push(err117);
}
errors++;
}
}
else {
const err118 = {instancePath:instancePath+"/plugins/" + i3+"/use",schemaPath:"#/properties/plugins/items/properties/use/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err118];
}
else {
vErrors.push(err118);
}
errors++;
}
}
}
}
}
else {
const err119 = {instancePath:instancePath+"/plugins",schemaPath:"#/properties/plugins/type",keyword:"type",params:{type: "array"},message:"must be array"};
if(vErrors === null){
vErrors = [err119];
}
else {
vErrors.push(err119);
}
errors++;
}
let data66 = data.log;
if(data66 && typeof data66 == "object" && !Array.isArray(data66)){
if(data66.level === undefined){
data66.level = "info";
}
if(data66.format === undefined){
data66.format = "text";
}
for(const key10 in data66){
if(!(((key10 === "level") || (key10 === "format")) || (key10 === "file"))){
const err120 = {instancePath:instancePath+"/log",schemaPath:"#/properties/log/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key10},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err120];
}
else {
vErrors.push(err120);
}
errors++;
}
}
let data67 = data66.level;
if(typeof data67 !== "string"){
const err121 = {instancePath:instancePath+"/log/level",schemaPath:"#/properties/log/properties/level/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err121];
}
else {
vErrors.push(err121);
}
errors++;
}
if(!((((data67 === "debug") || (data67 === "info")) || (data67 === "warn")) || (data67 === "error"))){
const err122 = {instancePath:instancePath+"/log/level",schemaPath:"#/properties/log/properties/level/enum",keyword:"enum",params:{allowedValues: schema11.properties.log.properties.level.enum},message:"must be equal to one of the allowed values"};
if(vErrors === null){
vErrors = [err122];
}
else {
vErrors.push(err122);
}
errors++;
}
let data68 = data66.format;
if(typeof data68 !== "string"){
const err123 = {instancePath:instancePath+"/log/format",schemaPath:"#/properties/log/properties/format/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err123];
}
else {
vErrors.push(err123);
}
errors++;
}
if(!((data68 === "text") || (data68 === "json"))){
const err124 = {instancePath:instancePath+"/log/format",schemaPath:"#/properties/log/properties/format/enum",keyword:"enum",params:{allowedValues: schema11.properties.log.properties.format.enum},message:"must be equal to one of the allowed values"};
if(vErrors === null){
vErrors = [err124];
}
else {
vErrors.push(err124);
}
errors++;
}
if(data66.file !== undefined){
let data69 = data66.file;
if(typeof data69 === "string"){
if(!pattern0.test(data69)){
const err125 = {instancePath:instancePath+"/log/file",schemaPath:"#/properties/log/properties/file/pattern",keyword:"pattern",params:{pattern: "."},message:"must match pattern \""+"."+"\""};
if(vErrors === null){
vErrors = [err125];
}
else {
vErrors.push(err125);
}
errors++;
}
}
else {
const err126 = {instancePath:instancePath+"/log/file",schemaPath:"#/properties/log/properties/file/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err126];
}
else {
vErrors.push(err126);
}
errors++;
}
}
}
else {
const err127 = {instancePath:instancePath+"/log",schemaPath:"#/properties/log/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err127];
}
else {
vErrors.push(err127);
}
errors++;
}
}
else {
const err128 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err128];
}
else {
vErrors.push(err128);
}
errors++;
}
validate10.errors = vErrors;
return errors === 0;
}

export const validateWal = validate11;
const schema12 = {"type":"object","properties":{"fsync":{"enum":["always","everysec","no"],"default":"always","description":"always: replies wait until the write is on disk. everysec: at most the last second is lost. no: the operating system decides."},"segmentBytes":{"type":"integer","minimum":4096,"examples":[67108864],"description":"Length at which a new file of the log is begun, in bytes. Default: 67108864."},"save":{"type":["string","array"],"title":"pairs of seconds and changes, such as \"60 1000\"","pattern":"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$","items":{"type":"string","title":"pairs of seconds and changes, such as \"60 1000\"","pattern":"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"},"examples":["60 1000","3600 1 300 100"],"description":"Seconds and changes: a checkpoint is written after so many seconds, if so many changes came. Default: none, for the log keeps each change."},"keep":{"type":["string","integer"],"title":"a size such as \"64mb\", a time such as \"2h\", or 0","pattern":"^([0-9]{1,15}([kKmMgG]?[bB])?|[0-9]{1,12}[smhd])$","minimum":0,"examples":["1gb","12h"],"description":"How much of the log is kept behind a checkpoint, for CHANGES: a size, or a time (s, m, h, d). Default: nothing until somebody asks for changes, then \"64mb\"."},"compaction":{"type":"object","description":"When the log is replaced by a checkpoint, in the background: whichever comes first.","properties":{"ratio":{"type":"number","minimum":0,"default":1,"description":"When it is so many times as long as the last checkpoint; 0: never for that. As auto-aof-rewrite-percentage, divided by 100."},"minBytes":{"type":"integer","minimum":0,"default":524288,"description":"A shorter log is left alone by the ratio. As auto-aof-rewrite-min-size."},"maxBytes":{"type":"integer","minimum":65536,"examples":[1073741824],"description":"When it is so long, whatever the ratio."},"everySeconds":{"type":"integer","minimum":1,"examples":[3600],"description":"So long after the last checkpoint, when anything was changed."},"schedule":{"type":"string","examples":["0 3 * * *"],"description":"At these times, when anything was changed: minute hour day month weekday."},"timeZone":{"type":"string","examples":["Europe/Zurich"],"description":"Of the schedule. Default: the system's."}},"additionalProperties":false},"compression":{"type":"object","description":"How far files are compressed, with zstd. Files of every kind are read.","properties":{"checkpoints":{"type":"integer","minimum":0,"maximum":19,"default":1,"description":"Level of zstd for checkpoints; 0: none."},"segments":{"type":"integer","minimum":0,"maximum":19,"default":1,"description":"The same for files of the log that are full and are going to stay."}},"additionalProperties":false}},"additionalProperties":false};
const pattern17 = new RegExp("^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$", "u");
const pattern19 = new RegExp("^([0-9]{1,15}([kKmMgG]?[bB])?|[0-9]{1,12}[smhd])$", "u");

function validate11(data, {instancePath="", parentData, parentDataProperty, rootData=data}={}){
let vErrors = null;
let errors = 0;
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.fsync === undefined){
data.fsync = "always";
}
for(const key0 in data){
if(!((((((key0 === "fsync") || (key0 === "segmentBytes")) || (key0 === "save")) || (key0 === "keep")) || (key0 === "compaction")) || (key0 === "compression"))){
const err0 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
}
let data0 = data.fsync;
if(!(((data0 === "always") || (data0 === "everysec")) || (data0 === "no"))){
const err1 = {instancePath:instancePath+"/fsync",schemaPath:"#/properties/fsync/enum",keyword:"enum",params:{allowedValues: schema12.properties.fsync.enum},message:"must be equal to one of the allowed values"};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
if(data.segmentBytes !== undefined){
let data1 = data.segmentBytes;
if(!(((typeof data1 == "number") && (!(data1 % 1) && !isNaN(data1))) && (isFinite(data1)))){
const err2 = {instancePath:instancePath+"/segmentBytes",schemaPath:"#/properties/segmentBytes/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
if((typeof data1 == "number") && (isFinite(data1))){
if(data1 < 4096 || isNaN(data1)){
const err3 = {instancePath:instancePath+"/segmentBytes",schemaPath:"#/properties/segmentBytes/minimum",keyword:"minimum",params:{comparison: ">=", limit: 4096},message:"must be >= 4096"};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
}
if(data.save !== undefined){
let data2 = data.save;
if((typeof data2 !== "string") && (!(Array.isArray(data2)))){
const err4 = {instancePath:instancePath+"/save",schemaPath:"#/properties/save/type",keyword:"type",params:{type: schema12.properties.save.type},message:"must be string,array"};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
if(typeof data2 === "string"){
if(!pattern17.test(data2)){
const err5 = {instancePath:instancePath+"/save",schemaPath:"#/properties/save/pattern",keyword:"pattern",params:{pattern: "^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"},message:"must match pattern \""+"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"+"\""};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
if(Array.isArray(data2)){
const len0 = data2.length;
for(let i0=0; i0<len0; i0++){
let data3 = data2[i0];
if(typeof data3 === "string"){
if(!pattern17.test(data3)){
const err6 = {instancePath:instancePath+"/save/" + i0,schemaPath:"#/properties/save/items/pattern",keyword:"pattern",params:{pattern: "^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"},message:"must match pattern \""+"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"+"\""};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
else {
const err7 = {instancePath:instancePath+"/save/" + i0,schemaPath:"#/properties/save/items/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
}
}
if(data.keep !== undefined){
let data4 = data.keep;
if((typeof data4 !== "string") && (!(((typeof data4 == "number") && (!(data4 % 1) && !isNaN(data4))) && (isFinite(data4))))){
const err8 = {instancePath:instancePath+"/keep",schemaPath:"#/properties/keep/type",keyword:"type",params:{type: schema12.properties.keep.type},message:"must be string,integer"};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
if((typeof data4 == "number") && (isFinite(data4))){
if(data4 < 0 || isNaN(data4)){
const err9 = {instancePath:instancePath+"/keep",schemaPath:"#/properties/keep/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
}
if(typeof data4 === "string"){
if(!pattern19.test(data4)){
const err10 = {instancePath:instancePath+"/keep",schemaPath:"#/properties/keep/pattern",keyword:"pattern",params:{pattern: "^([0-9]{1,15}([kKmMgG]?[bB])?|[0-9]{1,12}[smhd])$"},message:"must match pattern \""+"^([0-9]{1,15}([kKmMgG]?[bB])?|[0-9]{1,12}[smhd])$"+"\""};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
}
}
if(data.compaction !== undefined){
let data5 = data.compaction;
if(data5 && typeof data5 == "object" && !Array.isArray(data5)){
if(data5.ratio === undefined){
data5.ratio = 1;
}
if(data5.minBytes === undefined){
data5.minBytes = 524288;
}
for(const key1 in data5){
if(!((((((key1 === "ratio") || (key1 === "minBytes")) || (key1 === "maxBytes")) || (key1 === "everySeconds")) || (key1 === "schedule")) || (key1 === "timeZone"))){
const err11 = {instancePath:instancePath+"/compaction",schemaPath:"#/properties/compaction/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key1},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
}
let data6 = data5.ratio;
if((typeof data6 == "number") && (isFinite(data6))){
if(data6 < 0 || isNaN(data6)){
const err12 = {instancePath:instancePath+"/compaction/ratio",schemaPath:"#/properties/compaction/properties/ratio/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
}
else {
const err13 = {instancePath:instancePath+"/compaction/ratio",schemaPath:"#/properties/compaction/properties/ratio/type",keyword:"type",params:{type: "number"},message:"must be number"};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
let data7 = data5.minBytes;
if(!(((typeof data7 == "number") && (!(data7 % 1) && !isNaN(data7))) && (isFinite(data7)))){
const err14 = {instancePath:instancePath+"/compaction/minBytes",schemaPath:"#/properties/compaction/properties/minBytes/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
if((typeof data7 == "number") && (isFinite(data7))){
if(data7 < 0 || isNaN(data7)){
const err15 = {instancePath:instancePath+"/compaction/minBytes",schemaPath:"#/properties/compaction/properties/minBytes/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
}
if(data5.maxBytes !== undefined){
let data8 = data5.maxBytes;
if(!(((typeof data8 == "number") && (!(data8 % 1) && !isNaN(data8))) && (isFinite(data8)))){
const err16 = {instancePath:instancePath+"/compaction/maxBytes",schemaPath:"#/properties/compaction/properties/maxBytes/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
if((typeof data8 == "number") && (isFinite(data8))){
if(data8 < 65536 || isNaN(data8)){
const err17 = {instancePath:instancePath+"/compaction/maxBytes",schemaPath:"#/properties/compaction/properties/maxBytes/minimum",keyword:"minimum",params:{comparison: ">=", limit: 65536},message:"must be >= 65536"};
if(vErrors === null){
vErrors = [err17];
}
else {
vErrors.push(err17);
}
errors++;
}
}
}
if(data5.everySeconds !== undefined){
let data9 = data5.everySeconds;
if(!(((typeof data9 == "number") && (!(data9 % 1) && !isNaN(data9))) && (isFinite(data9)))){
const err18 = {instancePath:instancePath+"/compaction/everySeconds",schemaPath:"#/properties/compaction/properties/everySeconds/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err18];
}
else {
vErrors.push(err18);
}
errors++;
}
if((typeof data9 == "number") && (isFinite(data9))){
if(data9 < 1 || isNaN(data9)){
const err19 = {instancePath:instancePath+"/compaction/everySeconds",schemaPath:"#/properties/compaction/properties/everySeconds/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1"};
if(vErrors === null){
vErrors = [err19];
}
else {
vErrors.push(err19);
}
errors++;
}
}
}
if(data5.schedule !== undefined){
if(typeof data5.schedule !== "string"){
const err20 = {instancePath:instancePath+"/compaction/schedule",schemaPath:"#/properties/compaction/properties/schedule/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err20];
}
else {
vErrors.push(err20);
}
errors++;
}
}
if(data5.timeZone !== undefined){
if(typeof data5.timeZone !== "string"){
const err21 = {instancePath:instancePath+"/compaction/timeZone",schemaPath:"#/properties/compaction/properties/timeZone/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err21];
}
else {
vErrors.push(err21);
}
errors++;
}
}
}
else {
const err22 = {instancePath:instancePath+"/compaction",schemaPath:"#/properties/compaction/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err22];
}
else {
vErrors.push(err22);
}
errors++;
}
}
if(data.compression !== undefined){
let data12 = data.compression;
if(data12 && typeof data12 == "object" && !Array.isArray(data12)){
if(data12.checkpoints === undefined){
data12.checkpoints = 1;
}
if(data12.segments === undefined){
data12.segments = 1;
}
for(const key2 in data12){
if(!((key2 === "checkpoints") || (key2 === "segments"))){
const err23 = {instancePath:instancePath+"/compression",schemaPath:"#/properties/compression/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key2},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err23];
}
else {
vErrors.push(err23);
}
errors++;
}
}
let data13 = data12.checkpoints;
if(!(((typeof data13 == "number") && (!(data13 % 1) && !isNaN(data13))) && (isFinite(data13)))){
const err24 = {instancePath:instancePath+"/compression/checkpoints",schemaPath:"#/properties/compression/properties/checkpoints/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err24];
}
else {
vErrors.push(err24);
}
errors++;
}
if((typeof data13 == "number") && (isFinite(data13))){
if(data13 > 19 || isNaN(data13)){
const err25 = {instancePath:instancePath+"/compression/checkpoints",schemaPath:"#/properties/compression/properties/checkpoints/maximum",keyword:"maximum",params:{comparison: "<=", limit: 19},message:"must be <= 19"};
if(vErrors === null){
vErrors = [err25];
}
else {
vErrors.push(err25);
}
errors++;
}
if(data13 < 0 || isNaN(data13)){
const err26 = {instancePath:instancePath+"/compression/checkpoints",schemaPath:"#/properties/compression/properties/checkpoints/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err26];
}
else {
vErrors.push(err26);
}
errors++;
}
}
let data14 = data12.segments;
if(!(((typeof data14 == "number") && (!(data14 % 1) && !isNaN(data14))) && (isFinite(data14)))){
const err27 = {instancePath:instancePath+"/compression/segments",schemaPath:"#/properties/compression/properties/segments/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err27];
}
else {
vErrors.push(err27);
}
errors++;
}
if((typeof data14 == "number") && (isFinite(data14))){
if(data14 > 19 || isNaN(data14)){
const err28 = {instancePath:instancePath+"/compression/segments",schemaPath:"#/properties/compression/properties/segments/maximum",keyword:"maximum",params:{comparison: "<=", limit: 19},message:"must be <= 19"};
if(vErrors === null){
vErrors = [err28];
}
else {
vErrors.push(err28);
}
errors++;
}
if(data14 < 0 || isNaN(data14)){
const err29 = {instancePath:instancePath+"/compression/segments",schemaPath:"#/properties/compression/properties/segments/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err29];
}
else {
vErrors.push(err29);
}
errors++;
}
}
}
else {
const err30 = {instancePath:instancePath+"/compression",schemaPath:"#/properties/compression/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err30];
}
else {
vErrors.push(err30);
}
errors++;
}
}
}
else {
const err31 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err31];
}
else {
vErrors.push(err31);
}
errors++;
}
validate11.errors = vErrors;
return errors === 0;
}

export const validateJsonSnapshot = validate12;
const schema13 = {"type":"object","properties":{"file":{"type":"string","title":"a path","minLength":1,"format":"path","description":"The file. Default: database.json in the data folder."},"save":{"type":["string","array"],"title":"pairs of seconds and changes, such as \"60 1000\"","pattern":"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$","items":{"type":"string","title":"pairs of seconds and changes, such as \"60 1000\"","pattern":"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"},"examples":["60 1000","3600 1 300 100"],"description":"Seconds and changes: it is saved after so many seconds, if so many changes came. Empty: only at a stop and by SAVE. Default: \"3600 1 300 100 60 10000\"."},"every":{"type":"integer","minimum":1,"maximum":999999999,"description":"Seconds after which it is saved, if anything has changed."}},"additionalProperties":false};

function validate12(data, {instancePath="", parentData, parentDataProperty, rootData=data}={}){
let vErrors = null;
let errors = 0;
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
if(!(((key0 === "file") || (key0 === "save")) || (key0 === "every"))){
const err0 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
}
if(data.file !== undefined){
let data0 = data.file;
if(typeof data0 === "string"){
if(data0.length < 1){
const err1 = {instancePath:instancePath+"/file",schemaPath:"#/properties/file/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters"};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
else {
const err2 = {instancePath:instancePath+"/file",schemaPath:"#/properties/file/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
if(data.save !== undefined){
let data1 = data.save;
if((typeof data1 !== "string") && (!(Array.isArray(data1)))){
const err3 = {instancePath:instancePath+"/save",schemaPath:"#/properties/save/type",keyword:"type",params:{type: schema13.properties.save.type},message:"must be string,array"};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
if(typeof data1 === "string"){
if(!pattern17.test(data1)){
const err4 = {instancePath:instancePath+"/save",schemaPath:"#/properties/save/pattern",keyword:"pattern",params:{pattern: "^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"},message:"must match pattern \""+"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"+"\""};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
if(Array.isArray(data1)){
const len0 = data1.length;
for(let i0=0; i0<len0; i0++){
let data2 = data1[i0];
if(typeof data2 === "string"){
if(!pattern17.test(data2)){
const err5 = {instancePath:instancePath+"/save/" + i0,schemaPath:"#/properties/save/items/pattern",keyword:"pattern",params:{pattern: "^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"},message:"must match pattern \""+"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"+"\""};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
else {
const err6 = {instancePath:instancePath+"/save/" + i0,schemaPath:"#/properties/save/items/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
}
}
if(data.every !== undefined){
let data3 = data.every;
if(!(((typeof data3 == "number") && (!(data3 % 1) && !isNaN(data3))) && (isFinite(data3)))){
const err7 = {instancePath:instancePath+"/every",schemaPath:"#/properties/every/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
if((typeof data3 == "number") && (isFinite(data3))){
if(data3 > 999999999 || isNaN(data3)){
const err8 = {instancePath:instancePath+"/every",schemaPath:"#/properties/every/maximum",keyword:"maximum",params:{comparison: "<=", limit: 999999999},message:"must be <= 999999999"};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
if(data3 < 1 || isNaN(data3)){
const err9 = {instancePath:instancePath+"/every",schemaPath:"#/properties/every/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1"};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
}
}
}
else {
const err10 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
validate12.errors = vErrors;
return errors === 0;
}

export const validateAof = validate13;
const schema14 = {"type":"object","properties":{"appendonly":{"type":"boolean","default":true,"description":"Each change is kept, in the append-only file. false: only what is saved."},"fsync":{"enum":["always","everysec","no"],"default":"always","description":"always: replies wait until the write is on disk. everysec: at most the last second is lost. no: the operating system decides."},"save":{"type":["string","array"],"title":"pairs of seconds and changes, such as \"60 1000\"","pattern":"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$","items":{"type":"string","title":"pairs of seconds and changes, such as \"60 1000\"","pattern":"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"},"examples":["60 1000","3600 1 300 100"],"description":"Seconds and changes: an RDB is saved after so many seconds, if so many changes came. Default: none with appendonly, else Redis's \"3600 1 300 100 60 10000\"."},"dbfilename":{"type":"string","title":"a file name","pattern":"^(?!\\.{1,2}$|kvdb\\.)[^/\\\\\\u0000-\\u001f]+$","default":"dump.rdb","description":"The RDB, in the data folder."},"appenddirname":{"type":"string","title":"a folder name","pattern":"^(?!\\.{1,2}$|kvdb\\.)[^/\\\\\\u0000-\\u001f]+$","default":"appendonlydir","description":"The folder of the append-only file, in the data folder."},"appendfilename":{"type":"string","title":"a file name","pattern":"^(?!\\.{1,2}$|kvdb\\.)[^/\\\\\\u0000-\\u001f]+$","default":"appendonly.aof","description":"What its files begin with."},"aof-use-rdb-preamble":{"type":"boolean","default":true,"description":"A rewrite makes an RDB. false: commands, which anybody can read."},"aof-timestamp-enabled":{"type":"boolean","default":false,"description":"Redis's annotations with the time, each second."},"compaction":{"type":"object","description":"When the log is replaced by a checkpoint, in the background: whichever comes first.","properties":{"ratio":{"type":"number","minimum":0,"default":1,"description":"When it is so many times as long as the last checkpoint; 0: never for that. As auto-aof-rewrite-percentage, divided by 100."},"minBytes":{"type":"integer","minimum":0,"default":524288,"description":"A shorter log is left alone by the ratio. As auto-aof-rewrite-min-size."},"maxBytes":{"type":"integer","minimum":65536,"examples":[1073741824],"description":"When it is so long, whatever the ratio."},"everySeconds":{"type":"integer","minimum":1,"examples":[3600],"description":"So long after the last checkpoint, when anything was changed."},"schedule":{"type":"string","examples":["0 3 * * *"],"description":"At these times, when anything was changed: minute hour day month weekday."},"timeZone":{"type":"string","examples":["Europe/Zurich"],"description":"Of the schedule. Default: the system's."}},"additionalProperties":false},"keep":{"type":["string","integer"],"title":"a size such as \"64mb\", a time such as \"2h\", or 0","pattern":"^([0-9]{1,15}([kKmMgG]?[bB])?|[0-9]{1,12}[smhd])$","minimum":0,"examples":["1gb","12h"],"description":"How much of the log is kept behind a checkpoint, for CHANGES: a size, or a time (s, m, h, d). Default: nothing until somebody asks for changes, then \"64mb\"."},"compression":{"type":"integer","minimum":0,"maximum":19,"default":0,"description":"Level of zstd for files of the log that are full and are going to stay; 0: none. redis-server refuses such files."},"segmentBytes":{"type":"integer","minimum":4096,"examples":[67108864],"description":"Length at which a new file of the log is begun, in bytes. Default: 67108864."}},"additionalProperties":false};
const pattern24 = new RegExp("^(?!\\.{1,2}$|kvdb\\.)[^/\\\\\\u0000-\\u001f]+$", "u");

function validate13(data, {instancePath="", parentData, parentDataProperty, rootData=data}={}){
let vErrors = null;
let errors = 0;
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.appendonly === undefined){
data.appendonly = true;
}
if(data.fsync === undefined){
data.fsync = "always";
}
if(data.dbfilename === undefined){
data.dbfilename = "dump.rdb";
}
if(data.appenddirname === undefined){
data.appenddirname = "appendonlydir";
}
if(data.appendfilename === undefined){
data.appendfilename = "appendonly.aof";
}
if(data["aof-use-rdb-preamble"] === undefined){
data["aof-use-rdb-preamble"] = true;
}
if(data["aof-timestamp-enabled"] === undefined){
data["aof-timestamp-enabled"] = false;
}
if(data.compression === undefined){
data.compression = 0;
}
for(const key0 in data){
if(!(func2.call(schema14.properties, key0))){
const err0 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
}
if(typeof data.appendonly !== "boolean"){
const err1 = {instancePath:instancePath+"/appendonly",schemaPath:"#/properties/appendonly/type",keyword:"type",params:{type: "boolean"},message:"must be boolean"};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
let data1 = data.fsync;
if(!(((data1 === "always") || (data1 === "everysec")) || (data1 === "no"))){
const err2 = {instancePath:instancePath+"/fsync",schemaPath:"#/properties/fsync/enum",keyword:"enum",params:{allowedValues: schema14.properties.fsync.enum},message:"must be equal to one of the allowed values"};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
if(data.save !== undefined){
let data2 = data.save;
if((typeof data2 !== "string") && (!(Array.isArray(data2)))){
const err3 = {instancePath:instancePath+"/save",schemaPath:"#/properties/save/type",keyword:"type",params:{type: schema14.properties.save.type},message:"must be string,array"};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
if(typeof data2 === "string"){
if(!pattern17.test(data2)){
const err4 = {instancePath:instancePath+"/save",schemaPath:"#/properties/save/pattern",keyword:"pattern",params:{pattern: "^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"},message:"must match pattern \""+"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"+"\""};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
if(Array.isArray(data2)){
const len0 = data2.length;
for(let i0=0; i0<len0; i0++){
let data3 = data2[i0];
if(typeof data3 === "string"){
if(!pattern17.test(data3)){
const err5 = {instancePath:instancePath+"/save/" + i0,schemaPath:"#/properties/save/items/pattern",keyword:"pattern",params:{pattern: "^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"},message:"must match pattern \""+"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"+"\""};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
else {
const err6 = {instancePath:instancePath+"/save/" + i0,schemaPath:"#/properties/save/items/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
}
}
let data4 = data.dbfilename;
if(typeof data4 === "string"){
if(!pattern24.test(data4)){
const err7 = {instancePath:instancePath+"/dbfilename",schemaPath:"#/properties/dbfilename/pattern",keyword:"pattern",params:{pattern: "^(?!\\.{1,2}$|kvdb\\.)[^/\\\\\\u0000-\\u001f]+$"},message:"must match pattern \""+"^(?!\\.{1,2}$|kvdb\\.)[^/\\\\\\u0000-\\u001f]+$"+"\""};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
else {
const err8 = {instancePath:instancePath+"/dbfilename",schemaPath:"#/properties/dbfilename/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
let data5 = data.appenddirname;
if(typeof data5 === "string"){
if(!pattern24.test(data5)){
const err9 = {instancePath:instancePath+"/appenddirname",schemaPath:"#/properties/appenddirname/pattern",keyword:"pattern",params:{pattern: "^(?!\\.{1,2}$|kvdb\\.)[^/\\\\\\u0000-\\u001f]+$"},message:"must match pattern \""+"^(?!\\.{1,2}$|kvdb\\.)[^/\\\\\\u0000-\\u001f]+$"+"\""};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
}
else {
const err10 = {instancePath:instancePath+"/appenddirname",schemaPath:"#/properties/appenddirname/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
let data6 = data.appendfilename;
if(typeof data6 === "string"){
if(!pattern24.test(data6)){
const err11 = {instancePath:instancePath+"/appendfilename",schemaPath:"#/properties/appendfilename/pattern",keyword:"pattern",params:{pattern: "^(?!\\.{1,2}$|kvdb\\.)[^/\\\\\\u0000-\\u001f]+$"},message:"must match pattern \""+"^(?!\\.{1,2}$|kvdb\\.)[^/\\\\\\u0000-\\u001f]+$"+"\""};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
}
else {
const err12 = {instancePath:instancePath+"/appendfilename",schemaPath:"#/properties/appendfilename/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
if(typeof data["aof-use-rdb-preamble"] !== "boolean"){
const err13 = {instancePath:instancePath+"/aof-use-rdb-preamble",schemaPath:"#/properties/aof-use-rdb-preamble/type",keyword:"type",params:{type: "boolean"},message:"must be boolean"};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
if(typeof data["aof-timestamp-enabled"] !== "boolean"){
const err14 = {instancePath:instancePath+"/aof-timestamp-enabled",schemaPath:"#/properties/aof-timestamp-enabled/type",keyword:"type",params:{type: "boolean"},message:"must be boolean"};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
if(data.compaction !== undefined){
let data9 = data.compaction;
if(data9 && typeof data9 == "object" && !Array.isArray(data9)){
if(data9.ratio === undefined){
data9.ratio = 1;
}
if(data9.minBytes === undefined){
data9.minBytes = 524288;
}
for(const key1 in data9){
if(!((((((key1 === "ratio") || (key1 === "minBytes")) || (key1 === "maxBytes")) || (key1 === "everySeconds")) || (key1 === "schedule")) || (key1 === "timeZone"))){
const err15 = {instancePath:instancePath+"/compaction",schemaPath:"#/properties/compaction/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key1},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
}
let data10 = data9.ratio;
if((typeof data10 == "number") && (isFinite(data10))){
if(data10 < 0 || isNaN(data10)){
const err16 = {instancePath:instancePath+"/compaction/ratio",schemaPath:"#/properties/compaction/properties/ratio/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
}
else {
const err17 = {instancePath:instancePath+"/compaction/ratio",schemaPath:"#/properties/compaction/properties/ratio/type",keyword:"type",params:{type: "number"},message:"must be number"};
if(vErrors === null){
vErrors = [err17];
}
else {
vErrors.push(err17);
}
errors++;
}
let data11 = data9.minBytes;
if(!(((typeof data11 == "number") && (!(data11 % 1) && !isNaN(data11))) && (isFinite(data11)))){
const err18 = {instancePath:instancePath+"/compaction/minBytes",schemaPath:"#/properties/compaction/properties/minBytes/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err18];
}
else {
vErrors.push(err18);
}
errors++;
}
if((typeof data11 == "number") && (isFinite(data11))){
if(data11 < 0 || isNaN(data11)){
const err19 = {instancePath:instancePath+"/compaction/minBytes",schemaPath:"#/properties/compaction/properties/minBytes/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err19];
}
else {
vErrors.push(err19);
}
errors++;
}
}
if(data9.maxBytes !== undefined){
let data12 = data9.maxBytes;
if(!(((typeof data12 == "number") && (!(data12 % 1) && !isNaN(data12))) && (isFinite(data12)))){
const err20 = {instancePath:instancePath+"/compaction/maxBytes",schemaPath:"#/properties/compaction/properties/maxBytes/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err20];
}
else {
vErrors.push(err20);
}
errors++;
}
if((typeof data12 == "number") && (isFinite(data12))){
if(data12 < 65536 || isNaN(data12)){
const err21 = {instancePath:instancePath+"/compaction/maxBytes",schemaPath:"#/properties/compaction/properties/maxBytes/minimum",keyword:"minimum",params:{comparison: ">=", limit: 65536},message:"must be >= 65536"};
if(vErrors === null){
vErrors = [err21];
}
else {
vErrors.push(err21);
}
errors++;
}
}
}
if(data9.everySeconds !== undefined){
let data13 = data9.everySeconds;
if(!(((typeof data13 == "number") && (!(data13 % 1) && !isNaN(data13))) && (isFinite(data13)))){
const err22 = {instancePath:instancePath+"/compaction/everySeconds",schemaPath:"#/properties/compaction/properties/everySeconds/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err22];
}
else {
vErrors.push(err22);
}
errors++;
}
if((typeof data13 == "number") && (isFinite(data13))){
if(data13 < 1 || isNaN(data13)){
const err23 = {instancePath:instancePath+"/compaction/everySeconds",schemaPath:"#/properties/compaction/properties/everySeconds/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1"};
if(vErrors === null){
vErrors = [err23];
}
else {
vErrors.push(err23);
}
errors++;
}
}
}
if(data9.schedule !== undefined){
if(typeof data9.schedule !== "string"){
const err24 = {instancePath:instancePath+"/compaction/schedule",schemaPath:"#/properties/compaction/properties/schedule/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err24];
}
else {
vErrors.push(err24);
}
errors++;
}
}
if(data9.timeZone !== undefined){
if(typeof data9.timeZone !== "string"){
const err25 = {instancePath:instancePath+"/compaction/timeZone",schemaPath:"#/properties/compaction/properties/timeZone/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err25];
}
else {
vErrors.push(err25);
}
errors++;
}
}
}
else {
const err26 = {instancePath:instancePath+"/compaction",schemaPath:"#/properties/compaction/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err26];
}
else {
vErrors.push(err26);
}
errors++;
}
}
if(data.keep !== undefined){
let data16 = data.keep;
if((typeof data16 !== "string") && (!(((typeof data16 == "number") && (!(data16 % 1) && !isNaN(data16))) && (isFinite(data16))))){
const err27 = {instancePath:instancePath+"/keep",schemaPath:"#/properties/keep/type",keyword:"type",params:{type: schema14.properties.keep.type},message:"must be string,integer"};
if(vErrors === null){
vErrors = [err27];
}
else {
vErrors.push(err27);
}
errors++;
}
if((typeof data16 == "number") && (isFinite(data16))){
if(data16 < 0 || isNaN(data16)){
const err28 = {instancePath:instancePath+"/keep",schemaPath:"#/properties/keep/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err28];
}
else {
vErrors.push(err28);
}
errors++;
}
}
if(typeof data16 === "string"){
if(!pattern19.test(data16)){
const err29 = {instancePath:instancePath+"/keep",schemaPath:"#/properties/keep/pattern",keyword:"pattern",params:{pattern: "^([0-9]{1,15}([kKmMgG]?[bB])?|[0-9]{1,12}[smhd])$"},message:"must match pattern \""+"^([0-9]{1,15}([kKmMgG]?[bB])?|[0-9]{1,12}[smhd])$"+"\""};
if(vErrors === null){
vErrors = [err29];
}
else {
vErrors.push(err29);
}
errors++;
}
}
}
let data17 = data.compression;
if(!(((typeof data17 == "number") && (!(data17 % 1) && !isNaN(data17))) && (isFinite(data17)))){
const err30 = {instancePath:instancePath+"/compression",schemaPath:"#/properties/compression/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err30];
}
else {
vErrors.push(err30);
}
errors++;
}
if((typeof data17 == "number") && (isFinite(data17))){
if(data17 > 19 || isNaN(data17)){
const err31 = {instancePath:instancePath+"/compression",schemaPath:"#/properties/compression/maximum",keyword:"maximum",params:{comparison: "<=", limit: 19},message:"must be <= 19"};
if(vErrors === null){
vErrors = [err31];
}
else {
vErrors.push(err31);
}
errors++;
}
if(data17 < 0 || isNaN(data17)){
const err32 = {instancePath:instancePath+"/compression",schemaPath:"#/properties/compression/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err32];
}
else {
vErrors.push(err32);
}
errors++;
}
}
if(data.segmentBytes !== undefined){
let data18 = data.segmentBytes;
if(!(((typeof data18 == "number") && (!(data18 % 1) && !isNaN(data18))) && (isFinite(data18)))){
const err33 = {instancePath:instancePath+"/segmentBytes",schemaPath:"#/properties/segmentBytes/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err33];
}
else {
vErrors.push(err33);
}
errors++;
}
if((typeof data18 == "number") && (isFinite(data18))){
if(data18 < 4096 || isNaN(data18)){
const err34 = {instancePath:instancePath+"/segmentBytes",schemaPath:"#/properties/segmentBytes/minimum",keyword:"minimum",params:{comparison: ">=", limit: 4096},message:"must be >= 4096"};
if(vErrors === null){
vErrors = [err34];
}
else {
vErrors.push(err34);
}
errors++;
}
}
}
}
else {
const err35 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err35];
}
else {
vErrors.push(err35);
}
errors++;
}
validate13.errors = vErrors;
return errors === 0;
}

export const validateNone = validate14;
const schema15 = {"type":"object","properties":{},"additionalProperties":false};

function validate14(data, {instancePath="", parentData, parentDataProperty, rootData=data}={}){
let vErrors = null;
let errors = 0;
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
const err0 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
}
else {
const err1 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
validate14.errors = vErrors;
return errors === 0;
}

export const validateHashIndex = validate15;
const schema16 = {"properties":{},"additionalProperties":false};

function validate15(data, {instancePath="", parentData, parentDataProperty, rootData=data}={}){
let vErrors = null;
let errors = 0;
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
const err0 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
}
validate15.errors = vErrors;
return errors === 0;
}

export const validateOrderedIndex = validate16;
const schema17 = {"properties":{},"additionalProperties":false};

function validate16(data, {instancePath="", parentData, parentDataProperty, rootData=data}={}){
let vErrors = null;
let errors = 0;
if(data && typeof data == "object" && !Array.isArray(data)){
for(const key0 in data){
const err0 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
}
validate16.errors = vErrors;
return errors === 0;
}

export const validateRepl = validate17;
const schema18 = {"type":"object","properties":{"history":{"type":"string","minLength":1,"format":"path","description":"File that keeps the lines that were run; default ~/.local/state/kvdb/history"},"historySize":{"type":"integer","minimum":0,"maximum":1000000,"default":10000,"description":"How many lines are kept; 0: none"},"mode":{"type":"string","enum":["plain","json","raw","csv"],"default":"plain","description":"How answers are written"},"pager":{"type":"boolean","default":true,"description":"Whether answers longer than the screen are shown by $PAGER, or less"},"colour":{"type":"boolean","description":"Whether colours are used; else as the terminal and NO_COLOR say"}},"additionalProperties":false};

function validate17(data, {instancePath="", parentData, parentDataProperty, rootData=data}={}){
let vErrors = null;
let errors = 0;
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.historySize === undefined){
data.historySize = 10000;
}
if(data.mode === undefined){
data.mode = "plain";
}
if(data.pager === undefined){
data.pager = true;
}
for(const key0 in data){
if(!(((((key0 === "history") || (key0 === "historySize")) || (key0 === "mode")) || (key0 === "pager")) || (key0 === "colour"))){
const err0 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
}
if(data.history !== undefined){
let data0 = data.history;
if(typeof data0 === "string"){
if(data0.length < 1){
const err1 = {instancePath:instancePath+"/history",schemaPath:"#/properties/history/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters"};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
else {
const err2 = {instancePath:instancePath+"/history",schemaPath:"#/properties/history/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
}
let data1 = data.historySize;
if(!(((typeof data1 == "number") && (!(data1 % 1) && !isNaN(data1))) && (isFinite(data1)))){
const err3 = {instancePath:instancePath+"/historySize",schemaPath:"#/properties/historySize/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
if((typeof data1 == "number") && (isFinite(data1))){
if(data1 > 1000000 || isNaN(data1)){
const err4 = {instancePath:instancePath+"/historySize",schemaPath:"#/properties/historySize/maximum",keyword:"maximum",params:{comparison: "<=", limit: 1000000},message:"must be <= 1000000"};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
if(data1 < 0 || isNaN(data1)){
const err5 = {instancePath:instancePath+"/historySize",schemaPath:"#/properties/historySize/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
let data2 = data.mode;
if(typeof data2 !== "string"){
const err6 = {instancePath:instancePath+"/mode",schemaPath:"#/properties/mode/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
if(!((((data2 === "plain") || (data2 === "json")) || (data2 === "raw")) || (data2 === "csv"))){
const err7 = {instancePath:instancePath+"/mode",schemaPath:"#/properties/mode/enum",keyword:"enum",params:{allowedValues: schema18.properties.mode.enum},message:"must be equal to one of the allowed values"};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
if(typeof data.pager !== "boolean"){
const err8 = {instancePath:instancePath+"/pager",schemaPath:"#/properties/pager/type",keyword:"type",params:{type: "boolean"},message:"must be boolean"};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
if(data.colour !== undefined){
if(typeof data.colour !== "boolean"){
const err9 = {instancePath:instancePath+"/colour",schemaPath:"#/properties/colour/type",keyword:"type",params:{type: "boolean"},message:"must be boolean"};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
}
}
else {
const err10 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
validate17.errors = vErrors;
return errors === 0;
}

export const validateResp = validate18;
const schema19 = {"type":"object","properties":{"port":{"type":"integer","minimum":0,"maximum":65535,"default":6379},"bind":{"anyOf":[{"type":"string","minLength":1},{"type":"array","items":{"type":"string","minLength":1},"minItems":1}],"default":"127.0.0.1"},"unixsocket":{"type":"string","minLength":1,"format":"path","examples":["redis.sock"]},"maxclients":{"type":"integer","minimum":1,"maximum":1000000,"default":10000},"timeout":{"type":"integer","minimum":0,"default":0},"tcp-keepalive":{"type":"integer","minimum":0,"default":300},"protected-mode":{"type":"boolean","default":true},"tls-port":{"type":"integer","minimum":0,"maximum":65535,"default":0},"tls-cert-file":{"type":"string","minLength":1,"format":"path","examples":["server.crt"]},"tls-key-file":{"type":"string","minLength":1,"format":"path","examples":["server.key"]},"tls-key-file-pass":{"type":"string","minLength":1,"writeOnly":true,"examples":["secret"]},"tls-ca-cert-file":{"type":"string","minLength":1,"format":"path","examples":["ca.crt"]},"tls-auth-clients":{"type":"string","enum":["yes","no","optional"],"default":"yes"},"tls-protocols":{"type":"string","minLength":1,"examples":["TLSv1.2 TLSv1.3"]},"tls-ciphers":{"type":"string","minLength":1,"examples":["ECDHE-ECDSA-AES128-GCM-SHA256"]}},"additionalProperties":false};

function validate18(data, {instancePath="", parentData, parentDataProperty, rootData=data}={}){
let vErrors = null;
let errors = 0;
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.port === undefined){
data.port = 6379;
}
if(data.bind === undefined){
data.bind = "127.0.0.1";
}
if(data.maxclients === undefined){
data.maxclients = 10000;
}
if(data.timeout === undefined){
data.timeout = 0;
}
if(data["tcp-keepalive"] === undefined){
data["tcp-keepalive"] = 300;
}
if(data["protected-mode"] === undefined){
data["protected-mode"] = true;
}
if(data["tls-port"] === undefined){
data["tls-port"] = 0;
}
if(data["tls-auth-clients"] === undefined){
data["tls-auth-clients"] = "yes";
}
for(const key0 in data){
if(!(func2.call(schema19.properties, key0))){
const err0 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
}
let data0 = data.port;
if(!(((typeof data0 == "number") && (!(data0 % 1) && !isNaN(data0))) && (isFinite(data0)))){
const err1 = {instancePath:instancePath+"/port",schemaPath:"#/properties/port/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
if((typeof data0 == "number") && (isFinite(data0))){
if(data0 > 65535 || isNaN(data0)){
const err2 = {instancePath:instancePath+"/port",schemaPath:"#/properties/port/maximum",keyword:"maximum",params:{comparison: "<=", limit: 65535},message:"must be <= 65535"};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
if(data0 < 0 || isNaN(data0)){
const err3 = {instancePath:instancePath+"/port",schemaPath:"#/properties/port/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
}
let data1 = data.bind;
const _errs5 = errors;
let valid1 = false;
const _errs6 = errors;
if(typeof data1 === "string"){
if(data1.length < 1){
const err4 = {instancePath:instancePath+"/bind",schemaPath:"#/properties/bind/anyOf/0/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters"};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
}
else {
const err5 = {instancePath:instancePath+"/bind",schemaPath:"#/properties/bind/anyOf/0/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
var _valid0 = _errs6 === errors;
valid1 = valid1 || _valid0;
if(!valid1){
const _errs8 = errors;
if(Array.isArray(data1)){
if(data1.length < 1){
const err6 = {instancePath:instancePath+"/bind",schemaPath:"#/properties/bind/anyOf/1/minItems",keyword:"minItems",params:{limit: 1},message:"must NOT have fewer than 1 items"};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
const len0 = data1.length;
for(let i0=0; i0<len0; i0++){
let data2 = data1[i0];
if(typeof data2 === "string"){
if(data2.length < 1){
const err7 = {instancePath:instancePath+"/bind/" + i0,schemaPath:"#/properties/bind/anyOf/1/items/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters"};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
else {
const err8 = {instancePath:instancePath+"/bind/" + i0,schemaPath:"#/properties/bind/anyOf/1/items/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
}
}
else {
const err9 = {instancePath:instancePath+"/bind",schemaPath:"#/properties/bind/anyOf/1/type",keyword:"type",params:{type: "array"},message:"must be array"};
if(vErrors === null){
vErrors = [err9];
}
else {
vErrors.push(err9);
}
errors++;
}
var _valid0 = _errs8 === errors;
valid1 = valid1 || _valid0;
}
if(!valid1){
const err10 = {instancePath:instancePath+"/bind",schemaPath:"#/properties/bind/anyOf",keyword:"anyOf",params:{},message:"must match a schema in anyOf"};
if(vErrors === null){
vErrors = [err10];
}
else {
vErrors.push(err10);
}
errors++;
}
else {
errors = _errs5;
if(vErrors !== null){
if(_errs5){
vErrors.length = _errs5;
}
else {
vErrors = null;
}
}
}
if(data.unixsocket !== undefined){
let data3 = data.unixsocket;
if(typeof data3 === "string"){
if(data3.length < 1){
const err11 = {instancePath:instancePath+"/unixsocket",schemaPath:"#/properties/unixsocket/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters"};
if(vErrors === null){
vErrors = [err11];
}
else {
vErrors.push(err11);
}
errors++;
}
}
else {
const err12 = {instancePath:instancePath+"/unixsocket",schemaPath:"#/properties/unixsocket/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err12];
}
else {
vErrors.push(err12);
}
errors++;
}
}
let data4 = data.maxclients;
if(!(((typeof data4 == "number") && (!(data4 % 1) && !isNaN(data4))) && (isFinite(data4)))){
const err13 = {instancePath:instancePath+"/maxclients",schemaPath:"#/properties/maxclients/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err13];
}
else {
vErrors.push(err13);
}
errors++;
}
if((typeof data4 == "number") && (isFinite(data4))){
if(data4 > 1000000 || isNaN(data4)){
const err14 = {instancePath:instancePath+"/maxclients",schemaPath:"#/properties/maxclients/maximum",keyword:"maximum",params:{comparison: "<=", limit: 1000000},message:"must be <= 1000000"};
if(vErrors === null){
vErrors = [err14];
}
else {
vErrors.push(err14);
}
errors++;
}
if(data4 < 1 || isNaN(data4)){
const err15 = {instancePath:instancePath+"/maxclients",schemaPath:"#/properties/maxclients/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1"};
if(vErrors === null){
vErrors = [err15];
}
else {
vErrors.push(err15);
}
errors++;
}
}
let data5 = data.timeout;
if(!(((typeof data5 == "number") && (!(data5 % 1) && !isNaN(data5))) && (isFinite(data5)))){
const err16 = {instancePath:instancePath+"/timeout",schemaPath:"#/properties/timeout/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err16];
}
else {
vErrors.push(err16);
}
errors++;
}
if((typeof data5 == "number") && (isFinite(data5))){
if(data5 < 0 || isNaN(data5)){
const err17 = {instancePath:instancePath+"/timeout",schemaPath:"#/properties/timeout/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err17];
}
else {
vErrors.push(err17);
}
errors++;
}
}
let data6 = data["tcp-keepalive"];
if(!(((typeof data6 == "number") && (!(data6 % 1) && !isNaN(data6))) && (isFinite(data6)))){
const err18 = {instancePath:instancePath+"/tcp-keepalive",schemaPath:"#/properties/tcp-keepalive/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err18];
}
else {
vErrors.push(err18);
}
errors++;
}
if((typeof data6 == "number") && (isFinite(data6))){
if(data6 < 0 || isNaN(data6)){
const err19 = {instancePath:instancePath+"/tcp-keepalive",schemaPath:"#/properties/tcp-keepalive/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err19];
}
else {
vErrors.push(err19);
}
errors++;
}
}
if(typeof data["protected-mode"] !== "boolean"){
const err20 = {instancePath:instancePath+"/protected-mode",schemaPath:"#/properties/protected-mode/type",keyword:"type",params:{type: "boolean"},message:"must be boolean"};
if(vErrors === null){
vErrors = [err20];
}
else {
vErrors.push(err20);
}
errors++;
}
let data8 = data["tls-port"];
if(!(((typeof data8 == "number") && (!(data8 % 1) && !isNaN(data8))) && (isFinite(data8)))){
const err21 = {instancePath:instancePath+"/tls-port",schemaPath:"#/properties/tls-port/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err21];
}
else {
vErrors.push(err21);
}
errors++;
}
if((typeof data8 == "number") && (isFinite(data8))){
if(data8 > 65535 || isNaN(data8)){
const err22 = {instancePath:instancePath+"/tls-port",schemaPath:"#/properties/tls-port/maximum",keyword:"maximum",params:{comparison: "<=", limit: 65535},message:"must be <= 65535"};
if(vErrors === null){
vErrors = [err22];
}
else {
vErrors.push(err22);
}
errors++;
}
if(data8 < 0 || isNaN(data8)){
const err23 = {instancePath:instancePath+"/tls-port",schemaPath:"#/properties/tls-port/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"};
if(vErrors === null){
vErrors = [err23];
}
else {
vErrors.push(err23);
}
errors++;
}
}
if(data["tls-cert-file"] !== undefined){
let data9 = data["tls-cert-file"];
if(typeof data9 === "string"){
if(data9.length < 1){
const err24 = {instancePath:instancePath+"/tls-cert-file",schemaPath:"#/properties/tls-cert-file/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters"};
if(vErrors === null){
vErrors = [err24];
}
else {
vErrors.push(err24);
}
errors++;
}
}
else {
const err25 = {instancePath:instancePath+"/tls-cert-file",schemaPath:"#/properties/tls-cert-file/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err25];
}
else {
vErrors.push(err25);
}
errors++;
}
}
if(data["tls-key-file"] !== undefined){
let data10 = data["tls-key-file"];
if(typeof data10 === "string"){
if(data10.length < 1){
const err26 = {instancePath:instancePath+"/tls-key-file",schemaPath:"#/properties/tls-key-file/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters"};
if(vErrors === null){
vErrors = [err26];
}
else {
vErrors.push(err26);
}
errors++;
}
}
else {
const err27 = {instancePath:instancePath+"/tls-key-file",schemaPath:"#/properties/tls-key-file/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err27];
}
else {
vErrors.push(err27);
}
errors++;
}
}
if(data["tls-key-file-pass"] !== undefined){
let data11 = data["tls-key-file-pass"];
if(typeof data11 === "string"){
if(data11.length < 1){
const err28 = {instancePath:instancePath+"/tls-key-file-pass",schemaPath:"#/properties/tls-key-file-pass/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters"};
if(vErrors === null){
vErrors = [err28];
}
else {
vErrors.push(err28);
}
errors++;
}
}
else {
const err29 = {instancePath:instancePath+"/tls-key-file-pass",schemaPath:"#/properties/tls-key-file-pass/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err29];
}
else {
vErrors.push(err29);
}
errors++;
}
}
if(data["tls-ca-cert-file"] !== undefined){
let data12 = data["tls-ca-cert-file"];
if(typeof data12 === "string"){
if(data12.length < 1){
const err30 = {instancePath:instancePath+"/tls-ca-cert-file",schemaPath:"#/properties/tls-ca-cert-file/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters"};
if(vErrors === null){
vErrors = [err30];
}
else {
vErrors.push(err30);
}
errors++;
}
}
else {
const err31 = {instancePath:instancePath+"/tls-ca-cert-file",schemaPath:"#/properties/tls-ca-cert-file/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err31];
}
else {
vErrors.push(err31);
}
errors++;
}
}
let data13 = data["tls-auth-clients"];
if(typeof data13 !== "string"){
const err32 = {instancePath:instancePath+"/tls-auth-clients",schemaPath:"#/properties/tls-auth-clients/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err32];
}
else {
vErrors.push(err32);
}
errors++;
}
if(!(((data13 === "yes") || (data13 === "no")) || (data13 === "optional"))){
const err33 = {instancePath:instancePath+"/tls-auth-clients",schemaPath:"#/properties/tls-auth-clients/enum",keyword:"enum",params:{allowedValues: schema19.properties["tls-auth-clients"].enum},message:"must be equal to one of the allowed values"};
if(vErrors === null){
vErrors = [err33];
}
else {
vErrors.push(err33);
}
errors++;
}
if(data["tls-protocols"] !== undefined){
let data14 = data["tls-protocols"];
if(typeof data14 === "string"){
if(data14.length < 1){
const err34 = {instancePath:instancePath+"/tls-protocols",schemaPath:"#/properties/tls-protocols/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters"};
if(vErrors === null){
vErrors = [err34];
}
else {
vErrors.push(err34);
}
errors++;
}
}
else {
const err35 = {instancePath:instancePath+"/tls-protocols",schemaPath:"#/properties/tls-protocols/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err35];
}
else {
vErrors.push(err35);
}
errors++;
}
}
if(data["tls-ciphers"] !== undefined){
let data15 = data["tls-ciphers"];
if(typeof data15 === "string"){
if(data15.length < 1){
const err36 = {instancePath:instancePath+"/tls-ciphers",schemaPath:"#/properties/tls-ciphers/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters"};
if(vErrors === null){
vErrors = [err36];
}
else {
vErrors.push(err36);
}
errors++;
}
}
else {
const err37 = {instancePath:instancePath+"/tls-ciphers",schemaPath:"#/properties/tls-ciphers/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err37];
}
else {
vErrors.push(err37);
}
errors++;
}
}
}
else {
const err38 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err38];
}
else {
vErrors.push(err38);
}
errors++;
}
validate18.errors = vErrors;
return errors === 0;
}

export const validateHttp = validate19;
const schema20 = {"type":"object","properties":{"host":{"type":"string","minLength":1,"default":"127.0.0.1","description":"Address to listen on"},"port":{"type":"integer","minimum":1,"maximum":65535,"default":9121,"description":"TCP port"},"token":{"type":"string","minLength":1,"writeOnly":true,"description":"What /metrics asks for: `Authorization: Bearer TOKEN`. Default: nothing"}},"additionalProperties":false};

function validate19(data, {instancePath="", parentData, parentDataProperty, rootData=data}={}){
let vErrors = null;
let errors = 0;
if(data && typeof data == "object" && !Array.isArray(data)){
if(data.host === undefined){
data.host = "127.0.0.1";
}
if(data.port === undefined){
data.port = 9121;
}
for(const key0 in data){
if(!(((key0 === "host") || (key0 === "port")) || (key0 === "token"))){
const err0 = {instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties"};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
}
let data0 = data.host;
if(typeof data0 === "string"){
if(data0.length < 1){
const err1 = {instancePath:instancePath+"/host",schemaPath:"#/properties/host/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters"};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
}
}
else {
const err2 = {instancePath:instancePath+"/host",schemaPath:"#/properties/host/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err2];
}
else {
vErrors.push(err2);
}
errors++;
}
let data1 = data.port;
if(!(((typeof data1 == "number") && (!(data1 % 1) && !isNaN(data1))) && (isFinite(data1)))){
const err3 = {instancePath:instancePath+"/port",schemaPath:"#/properties/port/type",keyword:"type",params:{type: "integer"},message:"must be integer"};
if(vErrors === null){
vErrors = [err3];
}
else {
vErrors.push(err3);
}
errors++;
}
if((typeof data1 == "number") && (isFinite(data1))){
if(data1 > 65535 || isNaN(data1)){
const err4 = {instancePath:instancePath+"/port",schemaPath:"#/properties/port/maximum",keyword:"maximum",params:{comparison: "<=", limit: 65535},message:"must be <= 65535"};
if(vErrors === null){
vErrors = [err4];
}
else {
vErrors.push(err4);
}
errors++;
}
if(data1 < 1 || isNaN(data1)){
const err5 = {instancePath:instancePath+"/port",schemaPath:"#/properties/port/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1"};
if(vErrors === null){
vErrors = [err5];
}
else {
vErrors.push(err5);
}
errors++;
}
}
if(data.token !== undefined){
let data2 = data.token;
if(typeof data2 === "string"){
if(data2.length < 1){
const err6 = {instancePath:instancePath+"/token",schemaPath:"#/properties/token/minLength",keyword:"minLength",params:{limit: 1},message:"must NOT have fewer than 1 characters"};
if(vErrors === null){
vErrors = [err6];
}
else {
vErrors.push(err6);
}
errors++;
}
}
else {
const err7 = {instancePath:instancePath+"/token",schemaPath:"#/properties/token/type",keyword:"type",params:{type: "string"},message:"must be string"};
if(vErrors === null){
vErrors = [err7];
}
else {
vErrors.push(err7);
}
errors++;
}
}
}
else {
const err8 = {instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object"};
if(vErrors === null){
vErrors = [err8];
}
else {
vErrors.push(err8);
}
errors++;
}
validate19.errors = vErrors;
return errors === 0;
}
export const compiledSchemas = {
kernel: validateKernel,
plugins: {
  "wal": { validator: validateWal, schema: {"type":"object","properties":{"fsync":{"enum":["always","everysec","no"],"default":"always","description":"always: replies wait until the write is on disk. everysec: at most the last second is lost. no: the operating system decides."},"segmentBytes":{"type":"integer","minimum":4096,"examples":[67108864],"description":"Length at which a new file of the log is begun, in bytes. Default: 67108864."},"save":{"type":["string","array"],"title":"pairs of seconds and changes, such as \"60 1000\"","pattern":"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$","items":{"type":"string","title":"pairs of seconds and changes, such as \"60 1000\"","pattern":"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"},"examples":["60 1000","3600 1 300 100"],"description":"Seconds and changes: a checkpoint is written after so many seconds, if so many changes came. Default: none, for the log keeps each change."},"keep":{"type":["string","integer"],"title":"a size such as \"64mb\", a time such as \"2h\", or 0","pattern":"^([0-9]{1,15}([kKmMgG]?[bB])?|[0-9]{1,12}[smhd])$","minimum":0,"examples":["1gb","12h"],"description":"How much of the log is kept behind a checkpoint, for CHANGES: a size, or a time (s, m, h, d). Default: nothing until somebody asks for changes, then \"64mb\"."},"compaction":{"type":"object","description":"When the log is replaced by a checkpoint, in the background: whichever comes first.","properties":{"ratio":{"type":"number","minimum":0,"default":1,"description":"When it is so many times as long as the last checkpoint; 0: never for that. As auto-aof-rewrite-percentage, divided by 100."},"minBytes":{"type":"integer","minimum":0,"default":524288,"description":"A shorter log is left alone by the ratio. As auto-aof-rewrite-min-size."},"maxBytes":{"type":"integer","minimum":65536,"examples":[1073741824],"description":"When it is so long, whatever the ratio."},"everySeconds":{"type":"integer","minimum":1,"examples":[3600],"description":"So long after the last checkpoint, when anything was changed."},"schedule":{"type":"string","examples":["0 3 * * *"],"description":"At these times, when anything was changed: minute hour day month weekday."},"timeZone":{"type":"string","examples":["Europe/Zurich"],"description":"Of the schedule. Default: the system's."}},"additionalProperties":false},"compression":{"type":"object","description":"How far files are compressed, with zstd. Files of every kind are read.","properties":{"checkpoints":{"type":"integer","minimum":0,"maximum":19,"default":1,"description":"Level of zstd for checkpoints; 0: none."},"segments":{"type":"integer","minimum":0,"maximum":19,"default":1,"description":"The same for files of the log that are full and are going to stay."}},"additionalProperties":false}},"additionalProperties":false}, indexKinds: [] },
  "json-snapshot": { validator: validateJsonSnapshot, schema: {"type":"object","properties":{"file":{"type":"string","title":"a path","minLength":1,"format":"path","description":"The file. Default: database.json in the data folder."},"save":{"type":["string","array"],"title":"pairs of seconds and changes, such as \"60 1000\"","pattern":"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$","items":{"type":"string","title":"pairs of seconds and changes, such as \"60 1000\"","pattern":"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"},"examples":["60 1000","3600 1 300 100"],"description":"Seconds and changes: it is saved after so many seconds, if so many changes came. Empty: only at a stop and by SAVE. Default: \"3600 1 300 100 60 10000\"."},"every":{"type":"integer","minimum":1,"maximum":999999999,"description":"Seconds after which it is saved, if anything has changed."}},"additionalProperties":false}, indexKinds: [] },
  "aof": { validator: validateAof, schema: {"type":"object","properties":{"appendonly":{"type":"boolean","default":true,"description":"Each change is kept, in the append-only file. false: only what is saved."},"fsync":{"enum":["always","everysec","no"],"default":"always","description":"always: replies wait until the write is on disk. everysec: at most the last second is lost. no: the operating system decides."},"save":{"type":["string","array"],"title":"pairs of seconds and changes, such as \"60 1000\"","pattern":"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$","items":{"type":"string","title":"pairs of seconds and changes, such as \"60 1000\"","pattern":"^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$"},"examples":["60 1000","3600 1 300 100"],"description":"Seconds and changes: an RDB is saved after so many seconds, if so many changes came. Default: none with appendonly, else Redis's \"3600 1 300 100 60 10000\"."},"dbfilename":{"type":"string","title":"a file name","pattern":"^(?!\\.{1,2}$|kvdb\\.)[^/\\\\\\u0000-\\u001f]+$","default":"dump.rdb","description":"The RDB, in the data folder."},"appenddirname":{"type":"string","title":"a folder name","pattern":"^(?!\\.{1,2}$|kvdb\\.)[^/\\\\\\u0000-\\u001f]+$","default":"appendonlydir","description":"The folder of the append-only file, in the data folder."},"appendfilename":{"type":"string","title":"a file name","pattern":"^(?!\\.{1,2}$|kvdb\\.)[^/\\\\\\u0000-\\u001f]+$","default":"appendonly.aof","description":"What its files begin with."},"aof-use-rdb-preamble":{"type":"boolean","default":true,"description":"A rewrite makes an RDB. false: commands, which anybody can read."},"aof-timestamp-enabled":{"type":"boolean","default":false,"description":"Redis's annotations with the time, each second."},"compaction":{"type":"object","description":"When the log is replaced by a checkpoint, in the background: whichever comes first.","properties":{"ratio":{"type":"number","minimum":0,"default":1,"description":"When it is so many times as long as the last checkpoint; 0: never for that. As auto-aof-rewrite-percentage, divided by 100."},"minBytes":{"type":"integer","minimum":0,"default":524288,"description":"A shorter log is left alone by the ratio. As auto-aof-rewrite-min-size."},"maxBytes":{"type":"integer","minimum":65536,"examples":[1073741824],"description":"When it is so long, whatever the ratio."},"everySeconds":{"type":"integer","minimum":1,"examples":[3600],"description":"So long after the last checkpoint, when anything was changed."},"schedule":{"type":"string","examples":["0 3 * * *"],"description":"At these times, when anything was changed: minute hour day month weekday."},"timeZone":{"type":"string","examples":["Europe/Zurich"],"description":"Of the schedule. Default: the system's."}},"additionalProperties":false},"keep":{"type":["string","integer"],"title":"a size such as \"64mb\", a time such as \"2h\", or 0","pattern":"^([0-9]{1,15}([kKmMgG]?[bB])?|[0-9]{1,12}[smhd])$","minimum":0,"examples":["1gb","12h"],"description":"How much of the log is kept behind a checkpoint, for CHANGES: a size, or a time (s, m, h, d). Default: nothing until somebody asks for changes, then \"64mb\"."},"compression":{"type":"integer","minimum":0,"maximum":19,"default":0,"description":"Level of zstd for files of the log that are full and are going to stay; 0: none. redis-server refuses such files."},"segmentBytes":{"type":"integer","minimum":4096,"examples":[67108864],"description":"Length at which a new file of the log is begun, in bytes. Default: 67108864."}},"additionalProperties":false}, indexKinds: [] },
  "none": { validator: validateNone, schema: {"type":"object","properties":{},"additionalProperties":false}, indexKinds: [] },
  "hash-index": { validator: validateHashIndex, schema: {"properties":{},"additionalProperties":false}, indexKinds: [{"name":"hash","summary":"Equality: $eq and $in. Keeps a digest of each value.","options":{"hash":{"summary":"the digest of values","values":["halfsiphash","sha256"]}}}] },
  "ordered-index": { validator: validateOrderedIndex, schema: {"properties":{},"additionalProperties":false}, indexKinds: [{"name":"ordered","summary":"Equality, ranges, prefixes and sorting; also of the keys of the database.","options":{}}] },
  "repl": { validator: validateRepl, schema: {"type":"object","properties":{"history":{"type":"string","minLength":1,"format":"path","description":"File that keeps the lines that were run; default ~/.local/state/kvdb/history"},"historySize":{"type":"integer","minimum":0,"maximum":1000000,"default":10000,"description":"How many lines are kept; 0: none"},"mode":{"type":"string","enum":["plain","json","raw","csv"],"default":"plain","description":"How answers are written"},"pager":{"type":"boolean","default":true,"description":"Whether answers longer than the screen are shown by $PAGER, or less"},"colour":{"type":"boolean","description":"Whether colours are used; else as the terminal and NO_COLOR say"}},"additionalProperties":false}, indexKinds: [] },
  "resp": { validator: validateResp, schema: {"type":"object","properties":{"port":{"type":"integer","minimum":0,"maximum":65535,"default":6379},"bind":{"anyOf":[{"type":"string","minLength":1},{"type":"array","items":{"type":"string","minLength":1},"minItems":1}],"default":"127.0.0.1"},"unixsocket":{"type":"string","minLength":1,"format":"path","examples":["redis.sock"]},"maxclients":{"type":"integer","minimum":1,"maximum":1000000,"default":10000},"timeout":{"type":"integer","minimum":0,"default":0},"tcp-keepalive":{"type":"integer","minimum":0,"default":300},"protected-mode":{"type":"boolean","default":true},"tls-port":{"type":"integer","minimum":0,"maximum":65535,"default":0},"tls-cert-file":{"type":"string","minLength":1,"format":"path","examples":["server.crt"]},"tls-key-file":{"type":"string","minLength":1,"format":"path","examples":["server.key"]},"tls-key-file-pass":{"type":"string","minLength":1,"writeOnly":true,"examples":["secret"]},"tls-ca-cert-file":{"type":"string","minLength":1,"format":"path","examples":["ca.crt"]},"tls-auth-clients":{"type":"string","enum":["yes","no","optional"],"default":"yes"},"tls-protocols":{"type":"string","minLength":1,"examples":["TLSv1.2 TLSv1.3"]},"tls-ciphers":{"type":"string","minLength":1,"examples":["ECDHE-ECDSA-AES128-GCM-SHA256"]}},"additionalProperties":false}, indexKinds: [] },
  "http": { validator: validateHttp, schema: {"type":"object","properties":{"host":{"type":"string","minLength":1,"default":"127.0.0.1","description":"Address to listen on"},"port":{"type":"integer","minimum":1,"maximum":65535,"default":9121,"description":"TCP port"},"token":{"type":"string","minLength":1,"writeOnly":true,"description":"What /metrics asks for: `Authorization: Bearer TOKEN`. Default: nothing"}},"additionalProperties":false}, indexKinds: [] },
},
};
