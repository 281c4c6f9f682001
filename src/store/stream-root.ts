/**
 * The root of a stream, its only fixed block:
 *
 *   d0        units of the whole structure (structure.ts)
 *   i2        tree of the nodes by their IDs, the payload being the node's address (id-tree.ts, stream-node.ts); 0: none
 *   i3        the last node, where entries are added; 0: none
 *   d2        entries
 *   d3        entries ever added
 *   i8-i11    the ID given last, in the order of the words of stream-id.ts
 *   i12-i15   the greatest ID that XDEL deleted
 *   i16-i18   its groups (stream-names.ts, stream-groups.ts)
 *   i19       nodes
 *
 * A stream without entries or groups lives on: only DEL and its kin remove it.
 */

export const ROOT_UNITS = 10;
export const R_NODES = 2;
export const R_TAIL = 3;
export const R_LENGTH = 2;
export const R_ADDED = 3;
export const R_LAST_ID = 8;
export const R_DELETED_ID = 12;
export const R_GROUPS = 16;
export const R_NODE_COUNT = 19;
