// What names each language's generators make of the contract's, and which ones they or the language have already.

const pascal = (name) =>
  name
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
const camel = (name) => pascal(name).replace(/^./, (letter) => letter.toLowerCase());
const snake = (name) => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toLowerCase();
const words = (...texts) => new Set(texts.join(" ").split(/\s+/).filter(Boolean));

const python = `False None True and as assert async await break class continue def del elif else except finally for from
  global if import in is lambda nonlocal not or pass raise return try while with yield`;
const rust = `as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move
  mut pub ref return self Self static struct super trait true type unsafe use where while abstract become box do final gen
  macro override priv try typeof unsized virtual yield`;
const java = `abstract assert boolean break byte case catch char class const continue default do double else enum extends
  final finally float for goto if implements import instanceof int interface long native new package private protected
  public return short static strictfp super switch synchronized this throw throws transient try void volatile while true
  false null`;
const javascript = `arguments await break case catch class const continue debugger default delete do else enum eval export
  extends false finally for function if implements import in instanceof interface let new null package private protected
  public return static super switch this throw true try typeof var void while with yield`;
const csharp = `Equals GetHashCode GetType ToString MemberwiseClone Finalize`;
const cpp = `alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl const constexpr
  const_cast continue co_await co_return co_yield concept decltype default delete do double dynamic_cast else enum explicit
  export extern false float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or
  or_eq private protected public register reinterpret_cast requires return short signed sizeof static static_assert
  static_cast struct switch template this thread_local throw true try typedef typeid typename union unsigned using virtual
  void volatile wchar_t while xor xor_eq`;
// Macros of the C library: the preprocessor replaces them wherever they stand.
const macros = `stdin stdout stderr errno assert major minor makedev unix linux NULL EOF TRUE FALSE DOMAIN OVERFLOW`;
const kotlin = `as break class continue do else false for fun if in interface is null object package return super this throw
  true try typealias typeof val var when while`;
const swift = `Any Self Type Protocol associatedtype break case catch class continue default defer deinit do else enum
  extension fallthrough false fileprivate for func guard if import in init inout internal is let nil operator precedencegroup
  private protocol public repeat rethrows return self static struct subscript super switch throw throws true try typealias
  var where while`;
// Ruby's keywords are names like others after a dot; what every object has is not.
const ruby = `class method send hash object_id clone dup freeze inspect display extend tap to_h to_s to_json then instance_of
  methods respond_to`;

/** A language's members of a message's class: `derive(field, message)` says what a field or a oneof asks for. */
export const memberNames = {
  "C++": {
    reserved: words(
      cpp,
      macros,
      `New Clear CopyFrom MergeFrom Swap descriptor default_instance ByteSizeLong GetCachedSize IsInitialized GetDescriptor
       GetReflection GetMetadata GetTypeName unknown_fields mutable_unknown_fields internal_default_instance`,
    ),
    derive: ({ name, kind, isRepeated }) => {
      if (kind === "oneof") return [`${name}_case`, `clear_${name}`, `has_${name}`];
      const each = [name, `clear_${name}`, `mutable_${name}`, `set_${name}`];
      if (isRepeated) return [...each, `${name}_size`, `add_${name}`];
      return [...each, `has_${name}`, `release_${name}`, `set_allocated_${name}`];
    },
  },
  "C#": {
    reserved: words(csharp, "Descriptor Parser Types Clone WriteTo CalculateSize MergeFrom"),
    derive: ({ name, kind, hasPresence }, message) => {
      const own = pascal(name);
      // A member may not have its class's name.
      const taken = own === message ? ["Equals"] : [];
      if (kind === "oneof") return [...taken, `${own}Case`, `${own}OneofCase`, `Clear${own}`];
      return [...taken, own, `${own}FieldNumber`, ...(hasPresence ? [`Has${own}`, `Clear${own}`] : [])];
    },
  },
  Go: {
    reserved: words("Reset String ProtoMessage ProtoReflect Descriptor Marshal Unmarshal XXX_unrecognized"),
    derive: ({ name }) => [pascal(name), `Get${pascal(name)}`],
  },
  Java: {
    reserved: words(
      `getClass getDefaultInstance getDefaultInstanceForType getDescriptor getDescriptorForType getParserForType
       getSerializedSize getAllFields getField getFieldBuilder getUnknownFields getInitializationErrorString
       getOneofFieldDescriptor getRepeatedField getRepeatedFieldCount getRepeatedFieldBuilder hasField hasOneof setField
       setRepeatedField addRepeatedField setUnknownFields clearField clearOneof mergeFrom mergeUnknownFields hashCode`,
    ),
    derive: javaMembers,
  },
  "JavaScript and TypeScript": {
    reserved: words(
      "constructor toString toLocaleString valueOf hasOwnProperty isPrototypeOf toJSON toObject then __proto__",
    ),
    derive: ({ name }) => [camel(name)],
  },
  Kotlin: { reserved: words(kotlin), derive: ({ name }) => [camel(name)] },
  Python: {
    reserved: words(python, "self DESCRIPTOR"),
    derive: ({ name }) => [name, `${name.toUpperCase()}_FIELD_NUMBER`],
  },
  Ruby: { reserved: words(ruby), derive: ({ name }) => [name] },
  Rust: {
    reserved: words(rust, "clear encode encode_to_vec encoded_len decode merge default clone fmt eq into from"),
    derive: ({ name, kind }) => (kind === "enum" ? [name, `set_${name}`] : [name]),
  },
  Swift: {
    reserved: words(swift, "hash hashValue description debugDescription isInitialized unknownFields serializedData"),
    derive: ({ name, kind }) => {
      const own = camel(name);
      return kind === "message" ? [own, `has${pascal(name)}`, `clear${pascal(name)}`] : [own];
    },
  },
};

function javaMembers({ name, kind, isRepeated }) {
  const own = pascal(name);
  if (kind === "oneof") return [`get${own}Case`, `clear${own}`];
  const each = [`get${own}`, `clear${own}`];
  if (kind === "map") {
    const of = (...suffixes) => suffixes.map((suffix) => `get${own}${suffix}`);
    return [...each, ...of("Map", "Count", "OrDefault", "OrThrow"), `contains${own}`, `put${own}`, `remove${own}`];
  }
  const verbs = isRepeated ? ["set", "add", "addAll"] : ["set", "has"];
  const members = [...each, ...verbs.map((verb) => verb + own)];
  if (isRepeated) members.push(`get${own}List`, `get${own}Count`);
  if (kind === "string") members.push(`get${own}Bytes`, `set${own}Bytes`);
  if (kind === "enum") members.push(`get${own}Value`, `set${own}Value`);
  if (kind === "message") members.push(`get${own}Builder`, `get${own}OrBuilder`, `merge${own}`);
  if (kind === "message" && isRepeated) members.push(`get${own}BuilderList`, `get${own}OrBuilderList`);
  return members;
}

/** A language's methods of a client: how it spells a call, and what is there already. */
export const methodNames = {
  "C#": { reserved: words(csharp, "WithHost NewInstance"), spell: (name) => name },
  Go: { reserved: words("String"), spell: (name) => name },
  Java: {
    reserved: words(
      java,
      "build getChannel getCallOptions getClass wait notify notifyAll clone finalize toString hashCode equals",
    ),
    spell: camel,
  },
  "JavaScript and TypeScript": {
    reserved: words(
      javascript,
      "constructor toString valueOf then close getChannel waitForReady makeUnaryRequest makeClientStreamRequest",
    ),
    spell: camel,
  },
  Kotlin: { reserved: words(kotlin), spell: camel },
  Python: { reserved: words(python, "close execute_unary execute_server_stream execute_client_stream"), spell: snake },
  Ruby: { reserved: words(ruby), spell: snake },
  Rust: {
    reserved: words(
      rust,
      `new connect with_origin with_interceptor send_compressed accept_compressed max_decoding_message_size
       max_encoding_message_size clone`,
    ),
    spell: snake,
  },
  Swift: { reserved: words(swift), spell: camel },
};

/** Types: what is derived of a service's name, and what languages have already. */
export const fileNames = {
  reserved: words(
    `Any Array Boolean Box Class Default Double Duration Enum Error Exception Float Function Integer Iterable Long Map Message
     None Number Object Option Override Process Promise Protocol Result Runtime Self Set Short Some String Symbol System Thread
     Throwable Timestamp Type Vec Void`,
  ),
  reservedValues: words("SELF NONE TRUE FALSE NULL NAN EOF ERROR OVERFLOW DOMAIN INFINITY"),
  ofService: (name) => [
    `${name}Client`,
    `${name}Server`,
    `${name}Name`,
    `${name}Handler`,
    `${name}Grpc`,
    `${name}Stub`,
    `${name}Servicer`,
    `${name}Base`,
  ],
};
