/* sigma_form.c: what is left of a rule when protocol and operation are known: their tests are
 * answered when the rules are sealed, not again for each event. */
#include "rules/sigma_internal.h"

enum { ANSWER_BITS = 2, ANSWERS_MAX = 64 / ANSWER_BITS };

enum answer { UNANSWERED, NO, YES };

/* Of no children: all of them are true, none of them is. */
static const struct sigma_node always = {.kind = NODE_ALL}, never = {.kind = NODE_ANY};

struct known {
    struct sigma_rules *rules;
    const char *protocol, *operation;
    uint64_t answers;
    size_t answered;
    bool is_out_of_memory;
};

static enum answer answer_matcher(const struct sigma_matcher *m, const struct sigma_value *value)
{
    if (m->op == MATCH_RE || m->op == MATCH_FIELD)
        return UNANSWERED; /* need an evaluator or the record */
    if (m->op == MATCH_EXISTS)
        return m->is_wanted ? YES : NO;
    if (m->op == MATCH_NULL)
        return NO;
    return sigma_matcher_test(m, value, NULL) ? YES : NO;
}

static enum answer answer_test(const struct known *k, const struct sigma_node *node)
{
    const char *text = node->field == FIELD_PROTOCOL    ? k->protocol
                       : node->field == FIELD_OPERATION ? k->operation
                                                        : NULL;
    if (!text || !*text)
        return UNANSWERED;
    struct sigma_value value = {.kind = VALUE_TEXT, .text = text_of(text)};
    bool is_match = node->is_all;
    for (uint32_t i = 0; i < node->count; i++) {
        enum answer answer = answer_matcher(&node->matchers[i], &value);
        if (answer == UNANSWERED)
            return UNANSWERED;
        if ((answer == YES) != node->is_all)
            is_match = !node->is_all;
    }
    return is_match != node->is_not ? YES : NO;
}

/* As deep as conditions may nest. What belongs to items knows neither protocol nor operation. */
static void answer_all(struct known *k, const struct sigma_node *node)
{
    if (node->kind == NODE_ITEM)
        return;
    if (node->kind != NODE_TEST) {
        for (uint32_t i = 0; i < node->count; i++)
            answer_all(k, node->children[i]);
        return;
    }
    if (node->field != FIELD_PROTOCOL && node->field != FIELD_OPERATION)
        return;
    if (k->answered < ANSWERS_MAX)
        k->answers |= (uint64_t)answer_test(k, node) << (k->answered * ANSWER_BITS);
    k->answered++;
}

static const struct sigma_node *left_of(struct known *k, const struct sigma_node *node);

static const struct sigma_node *left_of_not(struct known *k, const struct sigma_node *node)
{
    const struct sigma_node *inner = left_of(k, node->children[0]);
    if (inner == &always || inner == &never)
        return inner == &always ? &never : &always;
    if (inner == node->children[0])
        return node;
    struct sigma_node *made = sigma_keep(k->rules, sizeof *made);
    const struct sigma_node **child = sigma_keep(k->rules, sizeof(struct sigma_node *));
    if (!made || !child) {
        k->is_out_of_memory = true;
        return node;
    }
    *made = *node;
    made->children = child;
    *child = inner;
    return made;
}

static const struct sigma_node *left_of_group(struct known *k, const struct sigma_node *node)
{
    bool is_all = node->kind == NODE_ALL;
    const struct sigma_node *decides = is_all ? &never : &always,
                            *says_nothing = is_all ? &always : &never;
    struct sigma_node *made = sigma_keep(k->rules, sizeof *made);
    const struct sigma_node **left =
        sigma_keep(k->rules, node->count * sizeof(struct sigma_node *));
    if (!made || !left) {
        k->is_out_of_memory = true;
        return node;
    }
    *made = *node;
    made->count = 0;
    made->children = left;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct sigma_node *child = left_of(k, node->children[i]);
        if (child == decides)
            return decides;
        if (child != says_nothing)
            left[made->count++] = child;
    }
    return made->count == 0 ? says_nothing : made->count == 1 ? left[0] : made;
}

static const struct sigma_node *left_of(struct known *k, const struct sigma_node *node)
{
    enum answer answer;
    switch (node->kind) {
    case NODE_TEST:
        answer = answer_test(k, node);
        return answer == YES ? &always : answer == NO ? &never : node;
    case NODE_NOT:
        return left_of_not(k, node);
    case NODE_ALL:
    case NODE_ANY:
        return left_of_group(k, node);
    case NODE_ITEM:
        break;
    }
    return node;
}

static bool form_make(struct known *k, const struct sigma_node *root, struct sigma_form *form)
{
    const struct sigma_node *left = left_of(k, root);
    form->answers = k->answers;
    form->is_never = left == &never;
    if (left == &always || left == &never)
        return true;
    return !k->is_out_of_memory && sigma_split(k->rules, left, &form->parts);
}

const struct sigma_form *sigma_form(struct sigma_rules *rules, const struct sigma_node *root,
                                    const char *protocol, enum operation operation,
                                    struct sigma_forms *forms)
{
    struct known k = {.rules = rules, .protocol = protocol, .operation = operation_name(operation)};
    answer_all(&k, root);
    for (size_t i = 0; i < forms->count && k.answered <= ANSWERS_MAX; i++)
        if (forms->at[i].answers == k.answers)
            return &forms->at[i];
    if (k.answered > ANSWERS_MAX || forms->count == FORMS_MAX) {
        forms->whole.parts.rest = root;
        return &forms->whole;
    }
    struct sigma_form *form = &forms->at[forms->count++];
    return form_make(&k, root, form) ? form : NULL;
}
