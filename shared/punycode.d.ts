/** The part of punycode.js that is used; the package has no types of its own. */
declare module "punycode.js" {
  const punycode: {
    /** @throws RangeError where an `xn--` label cannot be decoded */
    toUnicode(name: string): string;
  };
  export default punycode;
}
