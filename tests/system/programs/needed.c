/* What origin_module needs: found beside it, by $ORIGIN alone. */
int needed_number(void);

int needed_number(void)
{
    return 42;
}
