import js from "@eslint/js";

const node = { require: "readonly", module: "writable", process: "readonly" };

export default [
  { ignores: ["node_modules/"] },
  js.configs.recommended,
  {
    files: ["extension.js"],
    languageOptions: { sourceType: "commonjs", ecmaVersion: 2023, globals: node },
    rules: { "prefer-const": "error", eqeqeq: "error", "no-var": "error" },
  },
];
