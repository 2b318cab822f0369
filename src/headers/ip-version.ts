/** `node:net` is loaded once an address is read: it takes the start of a thread 3 ms. */
const net = () => process.getBuiltinModule('node:net')

/** Whether it is an IPv4 address in dotted decimal. */
export const isIPv4 = (text: string): boolean => net().isIPv4(text)

/** Whether it is an IPv6 address, with or without a zone. */
export const isIPv6 = (text: string): boolean => net().isIPv6(text)
