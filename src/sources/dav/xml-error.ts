/** The document is not well-formed; the message says what and where. */
export class XmlError extends Error {}

/** The document has a document type. */
export class DoctypeError extends XmlError {}
