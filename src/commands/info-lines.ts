/** A section of INFO: its fields, in the order in which they are shown. */
export type InfoLines = Record<string, string | number>;
