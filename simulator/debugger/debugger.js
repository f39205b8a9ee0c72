"use strict";

// The Authorization header of the API is "token <token>". Users may paste the token alone.
const TOKEN = "token";
const bearing = (token) => (/^token\s/.test(token) ? token : `token ${token}`);

// Accessibility fixes for Swagger UI: names of controls, levels of headings, keyboard access.
const root = document.getElementById("debugger");
const each = (selector, mend) => root.querySelectorAll(selector).forEach(mend);
const once = (element, name, value) => {
  if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
};

function mend() {
  each(".copy-to-clipboard > button", (button) => once(button, "aria-label", "Copy"));
  each(".close-modal", (button) => once(button, "aria-label", "Close"));
  each(".auth-btn-wrapper button[aria-label]", (button) => button.removeAttribute("aria-label"));
  each(".body-param textarea", (area) => once(area, "aria-label", "Request body"));
  each(".parameters input, .parameters select, .body-param select, .content-type-wrapper select", (field) => {
    const parameter = field.closest("[data-param-name]")?.dataset.paramName;
    once(field, "aria-label", parameter ?? "Content type");
  });
  each(".microlight", (code) => once(code, "tabindex", "0"));
  // The keyboard can't reach a link within a button. The button does the same.
  each(".opblock-summary-control a[href]", (link) => link.removeAttribute("href"));
  // Heading levels must not skip: 1 is the title, 2 a tag or dialog, 3 its content.
  each(".opblock-tag, .modal-ux-header > h3", (heading) => once(heading, "aria-level", "2"));
  each("h4, h5", (heading) => once(heading, "aria-level", "3"));
  each(".responses-inner [id$='_responses'], [role='region'][aria-labelledby]", (region) =>
    once(region, "aria-label", region.id.replaceAll("_", " ")),
  );
}

new MutationObserver(mend).observe(root, { childList: true, subtree: true });

window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#debugger",
  deepLinking: true,
  displayOperationId: true,
  displayRequestDuration: true,
  filter: true,
  validatorUrl: null,
  requestInterceptor(request) {
    const { Authorization } = request.headers ?? {};
    if (Authorization) {
      request.headers.Authorization = bearing(Authorization);
    }
    return request;
  },
  responseInterceptor(response) {
    // Authorizes all further calls with a new token.
    if (response.status === 201 && response.url.endsWith("/access_token")) {
      window.ui.preauthorizeApiKey(TOKEN, bearing(response.body.token));
    }
    return response;
  },
});
