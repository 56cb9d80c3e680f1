// Owns the lint rules of the UI: strict types, hooks, and no way to put markup into the page from data.
import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import globals from "globals";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["dist", "src/api/schema.d.ts"] },
  js.configs.recommended,
  ...ts.configs.strict,
  {
    files: ["**/*.{ts,tsx}"],
    plugins: { "react-hooks": hooks },
    languageOptions: { globals: globals.browser },
    rules: {
      ...hooks.configs.recommended.rules,
      "max-lines": ["error", { max: 200, skipBlankLines: true, skipComments: true }],
      "no-restricted-syntax": [
        "error",
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
          message: "What comes from outside is shown as text, never as markup.",
        },
        {
          selector: "AssignmentExpression[left.property.name=/^(innerHTML|outerHTML)$/]",
          message: "What comes from outside is shown as text, never as markup.",
        },
      ],
      "no-console": "error",
      eqeqeq: "error",
    },
  },
  { files: ["src/api/types.ts"], rules: { "max-lines": "off" } },
  { files: ["public/*.js", "scripts/*.ts"], languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  { files: ["scripts/*.ts"], rules: { "no-console": "off" } },
);
