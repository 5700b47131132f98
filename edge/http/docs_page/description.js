// The OpenAPI document, as the page needs it.

const METHODS = ["get", "head", "post", "put", "patch", "delete"];

export class Description {
  constructor(document, url) {
    this.base = new URL(document.servers[0].url, url);
    this.info = document.info;
    this.document = document;
    this.operations = Object.entries(document.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method]).map((method) => ({
        ...item[method],
        id: `${method}${path}`,
        method: method.toUpperCase(),
        path,
        parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])],
      })),
    );
  }

  // Headings with their operations, in the order of the document; what has none comes last.
  groups() {
    const known = this.document.tags ?? [];
    const tagOf = (operation) => operation.tags?.[0] ?? "Other";
    const names = new Set([...known.map((tag) => tag.name), ...this.operations.map(tagOf)]);
    return [...names]
      .map((name) => ({
        name,
        description: known.find((tag) => tag.name === name)?.description,
        operations: this.operations.filter((operation) => tagOf(operation) === name),
      }))
      .filter((group) => group.operations.length);
  }

  canLogIn() {
    return this.operations.some(({ method, path }) => method === "POST" && path.endsWith("/login"));
  }

  // What a reference leads to; anything else as it is.
  resolve(value) {
    if (!value?.$ref) return value ?? {};
    const steps = value.$ref.slice(2).split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    return this.resolve(steps.reduce((place, step) => place?.[step], this.document));
  }

  // The ways to authenticate that an operation names, each once: "bearer", "basic", "client", "nobody".
  ways(operation) {
    const requirements = operation.security ?? this.document.security ?? [];
    const schemes = this.document.components?.securitySchemes ?? {};
    const found = requirements.flatMap((requirement) => Object.keys(requirement)).map((name) => {
      const scheme = this.resolve(schemes[name]);
      if (scheme.type === "oauth2" || scheme.scheme === "bearer") return "bearer";
      return scheme.scheme === "basic" ? name : undefined;
    });
    return [...new Set([...found.filter(Boolean), "nobody"])];
  }

  // The first media type that a body may have, with its schema.
  body(operation) {
    const [[type, content] = []] = Object.entries(this.resolve(operation.requestBody).content ?? {});
    return type && { type, schema: this.resolve(content.schema) };
  }

  // A value that fits a schema, made of its examples; what is optional and has none is left out.
  sample(schema, depth = 0) {
    const { examples, example, default: usual, const: only, enum: choices, type, properties, items, ...rest } =
      this.resolve(schema);
    const given = examples?.[0] ?? example ?? only ?? choices?.[0] ?? usual;
    if (given !== undefined) return given;
    const [alternative] = rest.oneOf ?? rest.anyOf ?? rest.allOf ?? [];
    if (alternative && !properties) return this.sample(alternative, depth);
    if (properties && depth < 8) {
      const wanted = Object.entries(properties).filter(
        ([name, part]) => rest.required?.includes(name) || this.resolve(part).examples,
      );
      return Object.fromEntries(wanted.map(([name, part]) => [name, this.sample(part, depth + 1)]));
    }
    if (type === "array") return items && depth < 8 ? [this.sample(items, depth + 1)] : [];
    return { integer: 0, number: 0, boolean: false, object: {}, null: null }[type] ?? "";
  }
}
