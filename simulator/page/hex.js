// Bytes in hex for people.

/** Writes runs of at least four zero bytes as `00×n`. */
export const folded = (hex) =>
  String(hex).replace(/^(?:[0-9a-f]{2})+$/i, (all) => {
    const bytes = all.match(/../g);
    const parts = [];
    for (let n = 0; n < bytes.length; ) {
      let end = n;
      while (bytes[end] === "00") end++;
      if (end - n >= 4) parts.push(`${parts.length ? " " : ""}00×${end - n}${end < bytes.length ? " " : ""}`);
      else parts.push(bytes.slice(n, Math.max(end, n + 1)).join(""));
      n = Math.max(end, n + 1);
    }
    return parts.join("");
  });
